_base_ = ["unet_tiny.py"]
train_cfg = dict(paradigm=dict(type="DaleTraining", split=dict(patch_share=1 / 16), alignment=dict(), seed="$seed"))
