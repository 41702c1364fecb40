_base_ = [
    "../../_base_/models/hiperformer.py",
    "../../_base_/schedules/adamw_one_cycle.py",
    "../../_base_/default_runtime.py",
]
widths = [16, 32, 64, 128]
model = dict(
    backbone=dict(global_branch=dict(embed_dims=16, depths=(2, 2, 2, 2), num_heads=(1, 2, 4, 8), drop_path_rate=0.1)),
    neck=dict(in_channels=widths, pga=dict(gate_groups=8, psa_groups=(1, 2, 4, 8), psa_reduction=4)),
    decode_head=dict(in_channels=widths),
)
