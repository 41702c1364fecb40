"""SWMA-UNet on the sizes of Swin-UNet."""

_base_ = ["swin_unet.py"]
model = dict(backbone=dict(type="SWMAUNet", groups=32))
