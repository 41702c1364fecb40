"""BYOL with the heads whose size SuperCL's comparison prints."""

_base_ = ["frame.py"]
pretraining = dict(model=dict(type="BYOL", hidden=4096, width=256, momentum=0.996))
