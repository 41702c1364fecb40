"""AdamW with one cycle at the peak that small convolutional networks learn fastest with."""

_base_ = ["adamw_one_cycle.py"]
optim_wrapper = dict(optimizer=dict(lr=1e-2))
