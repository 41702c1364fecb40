_base_ = ["../supervised/unet.py"]
