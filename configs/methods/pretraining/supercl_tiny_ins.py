_base_ = ["supercl_precomputed_tiny.py"]
pretraining = dict(model=dict(weights=(1.0, 0.0, 0.0)))
