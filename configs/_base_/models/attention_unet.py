"""Attention U-Net at its published width, one head."""

_base_ = ["unet.py"]
model = dict(backbone=dict(type="AttentionUNet"))
