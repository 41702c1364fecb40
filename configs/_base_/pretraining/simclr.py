"""SimCLR as in SuperCL's comparison."""

_base_ = ["frame.py"]
pretraining = dict(model=dict(type="SimCLR", temperature=0.1))
