_base_ = ["unet.py"]
model = dict(backbone=dict(base_channels=16), decode_head=dict(in_channels=16, channels=16))
