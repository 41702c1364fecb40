_base_ = ["supercl_precomputed_tiny.py"]
pretraining = dict(superpixels=dict(segments=10))
