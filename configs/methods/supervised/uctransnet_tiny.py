_base_ = [
    "../../_base_/models/uctransnet.py",
    "../../_base_/schedules/adamw_one_cycle_transformer.py",
    "../../_base_/default_runtime.py",
]
model = dict(
    backbone=dict(base_channels=16, heads=2, layers=2),
    decode_head=dict(in_channels=16, channels=16),
)
