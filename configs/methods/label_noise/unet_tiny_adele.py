_base_ = ["unet_tiny.py"]
# The suites of small networks are a few epochs long, where the paper's curves have a point an epoch.
train_cfg = dict(paradigm=dict(type="ADELE", interval=1 / 20))
