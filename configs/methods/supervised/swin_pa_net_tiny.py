_base_ = [
    "../../_base_/models/swin_pa_net.py",
    "../../_base_/schedules/adamw_one_cycle_transformer.py",
    "../../_base_/default_runtime.py",
]
model = dict(
    backbone=dict(embed_dims=24, depths=(2, 2, 2, 2), num_heads=(1, 2, 4, 8), window_size=7),
    neck=dict(channels=(24, 48, 96, 192), out_channels=16),
    decode_head=dict(in_channels=16),
)
