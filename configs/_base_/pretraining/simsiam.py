"""SimSiam with the heads whose size SuperCL's comparison prints."""

_base_ = ["frame.py"]
pretraining = dict(model=dict(type="SimSiam"))
