# SEEDS halves a grid of blocks: on slices of 35 x 50 pixels 36 asked for give about 14, and 16 only three.
_base_ = ["supercl_precomputed_tiny.py"]
pretraining = dict(superpixels=dict(_delete_=True, algorithm="seeds", segments=36))
