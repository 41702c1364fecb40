_base_ = ["attention_unet.py"]
model = dict(backbone=dict(widths=(16, 32, 64, 128, 256)), decode_head=dict(in_channels=16))
