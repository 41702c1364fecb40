"""U-Net with batch normalisation at its published width, one head."""

_base_ = ["dense_segmentor.py"]
model = dict(
    stride=16,
    backbone=dict(type="ConvUNet", widths=(64, 128, 256, 512, 1024)),
    decode_head=dict(in_channels=64, in_index=4),
)
