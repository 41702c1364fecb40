_base_ = ["split_matching_tiny.py"]
groups = _base_.model.decode_head.groups
model = dict(decode_head=dict(groups=[groups[0], dict(groups[1], queries=20)]))
del groups  # a name that stays would be part of the config
