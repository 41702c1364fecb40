"""MoCo v2; the size of the queue is ours."""

_base_ = ["frame.py"]
pretraining = dict(model=dict(type="MoCoV2", queue=4096, width=128, momentum=0.999, temperature=0.2))
