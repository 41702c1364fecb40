_base_ = ["unet_tiny.py"]
train_cfg = dict(paradigm=dict(type="L2RW", split=dict(patch_share=1 / 16)))
