_base_ = ["supercl_precomputed_tiny.py"]
pretraining = dict(superpixels=dict(_delete_=True, algorithm="seeds", segments=16))
