_base_ = ["unet_tiny.py"]
train_cfg = dict(paradigm=dict(type="BECO", split=dict(patch_share=1 / 16), seed="$seed"))
