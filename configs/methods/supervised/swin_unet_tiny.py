_base_ = [
    "../../_base_/models/swin_unet.py",
    "../../_base_/schedules/adamw_one_cycle_transformer.py",
    "../../_base_/default_runtime.py",
]
model = dict(backbone=dict(channels=24, heads=(1, 2, 4, 8)), decode_head=dict(in_channels=24))
