"""TransUNet with dual attention on the embedding and, as released, on the two coarser skips."""

_base_ = ["transunet.py"]
model = dict(
    backbone=dict(type="DATransUNet", reduction=16, min_inner=1, attended_skips=(True, True, False)),
)
