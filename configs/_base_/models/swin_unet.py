"""Swin-UNet, tiny."""

_base_ = ["dense_segmentor.py"]
model = dict(
    backbone=dict(
        type="SwinUNet",
        image_size="$image_size",
        channels=96,
        depths=(2, 2, 2, 2),
        heads=(3, 6, 12, 24),
        window=7,
        drop_path_rate=0.2,
    ),
    decode_head=dict(in_channels=96, in_index=3, bias=False, loss_decode=dict(ce_weight=0.4, dice_weight=0.6)),
)
