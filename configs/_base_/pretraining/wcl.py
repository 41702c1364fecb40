"""WCL without its crops for nearest neighbours."""

_base_ = ["frame.py"]
pretraining = dict(model=dict(type="WCL", temperature=0.1))
