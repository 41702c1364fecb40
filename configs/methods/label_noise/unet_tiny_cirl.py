_base_ = ["unet_tiny.py"]
train_cfg = dict(paradigm=dict(type="CIRL", seed="$seed"))
