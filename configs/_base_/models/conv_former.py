"""ConvFormer in SETR, at its published size."""

_base_ = ["dense_segmentor.py"]
model = dict(
    stride=8,
    backbone=dict(
        type="ConvFormer",
        widths=(64, 128, 256, 512),
        layers=12,
        heads=8,
        hidden=2048,
    ),
    decode_head=dict(
        in_channels=128,
        align_corners=True,
    ),
)
