"""PCL with the threshold of SuperCL's comparison."""

_base_ = ["frame.py"]
pretraining = dict(model=dict(type="PCL", temperature=0.1, threshold=0.1))
