"""AdamW with one cycle at the lower peak that small networks with transformers need."""

_base_ = ["adamw_one_cycle.py"]
optim_wrapper = dict(optimizer=dict(lr=2e-3))
