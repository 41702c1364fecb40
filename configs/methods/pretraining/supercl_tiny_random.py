_base_ = ["supercl_precomputed_tiny.py"]
pretraining = dict(model=dict(sampling="random"))
