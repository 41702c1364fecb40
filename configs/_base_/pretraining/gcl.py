"""GCL, its global loss alone."""

_base_ = ["frame.py"]
pretraining = dict(model=dict(type="GCL", temperature=0.1, partitions=4))
