_base_ = ["split_matching_tiny.py"]
regions = dict(windows=[4])
