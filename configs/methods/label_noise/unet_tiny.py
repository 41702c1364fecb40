_base_ = ["../supervised/unet_tiny.py"]
# Half the width of `supervised/unet_tiny`: methods that look ahead make five passes where plain training makes one.
model = dict(backbone=dict(widths=(8, 16, 32, 64, 128)), decode_head=dict(in_channels=8))
