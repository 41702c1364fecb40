_base_ = ["split_matching_tiny.py"]
regions = dict(merge=0.8)
