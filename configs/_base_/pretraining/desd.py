"""DeSD in two dimensions; the sizes of its heads are ours."""

_base_ = ["frame.py"]
pretraining = dict(model=dict(type="DeSD", hidden=2048, width=256, prototypes=8192, momentum=0.996))
