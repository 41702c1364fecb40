_base_ = ["../supervised/unet_tiny.py"]
