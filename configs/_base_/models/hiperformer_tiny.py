"""HiPerformer at an eighth of its width, Swin with two blocks a stage."""

_base_ = ["hiperformer.py"]
widths = [16, 32, 64, 128]
model = dict(
    backbone=dict(global_branch=dict(embed_dims=16, depths=(2, 2, 2, 2), num_heads=(1, 2, 4, 8), drop_path_rate=0.1)),
    neck=dict(in_channels=widths, pga=dict(gate_groups=8, psa_groups=(1, 2, 4, 8), psa_reduction=4)),
    decode_head=dict(in_channels=widths),
)
