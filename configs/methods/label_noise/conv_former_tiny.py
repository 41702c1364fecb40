_base_ = [
    "../../_base_/models/conv_former.py",
    "../../_base_/schedules/adamw_one_cycle_transformer.py",
    "../../_base_/default_runtime.py",
]
model = dict(
    backbone=dict(widths=(8, 16, 32, 64), layers=2, heads=4, hidden=128),
    decode_head=dict(in_channels=16),
)
