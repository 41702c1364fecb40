_base_ = [
    "../../_base_/models/segformer.py",
    "../../_base_/schedules/adamw_one_cycle_transformer.py",
    "../../_base_/default_runtime.py",
]
model = dict(
    backbone=dict(embed_dims=16),
    decode_head=dict(in_channels=[16, 32, 80, 128], channels=64),
)
