# Two poolings instead of four: of images of 64 pixels the bottom keeps 16 x 16 cells, several to a superpixel.
_base_ = ["scratch.py"]
model = dict(
    stride=4,
    backbone=dict(widths=(16, 32, 64)),
    neck=dict(widths=(16, 32, 64)),
    decode_head=dict(in_channels=16),
)
optim_wrapper = dict(optimizer=dict(lr=2e-3))
param_scheduler = [
    dict(type="CosineAnnealingLR", T_max="$max_iters", eta_min=2e-5, begin=0, end="$max_iters", by_epoch=False)
]
