"""MACL, the later method of SuperCL's authors."""

_base_ = ["frame.py"]
pretraining = dict(model=dict(type="MACL", temperature=0.1, threshold=0.1, dense_weight=0.5, equal_weight=1.0))
