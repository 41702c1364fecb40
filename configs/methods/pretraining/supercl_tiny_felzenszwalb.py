# On slices of 35 x 50 pixels these give about 15 superpixels, SLIC's number.
_base_ = ["supercl_precomputed_tiny.py"]
pretraining = dict(superpixels=dict(_delete_=True, algorithm="felzenszwalb", min_size=30))
