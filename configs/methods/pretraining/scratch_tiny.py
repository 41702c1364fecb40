# Two poolings instead of four: of images of 64 pixels the bottom keeps 16 x 16 cells, several to a superpixel.
_base_ = [
    "../../_base_/models/leaky_unet.py",
    "../../_base_/schedules/adamw_one_cycle.py",
    "../../_base_/default_runtime.py",
]
model = dict(
    stride=4,
    backbone=dict(widths=(16, 32, 64)),
    neck=dict(widths=(16, 32, 64)),
    # With cross-entropy alone small classes are not found in the few hundred steps of the small suites.
    decode_head=dict(in_channels=16, loss_decode=dict(_delete_=True, type="CEDiceLoss")),
)
