_base_ = [
    "../../_base_/models/unet.py",
    "../../_base_/schedules/adamw_one_cycle_convolutional.py",
    "../../_base_/default_runtime.py",
]
model = dict(backbone=dict(widths=(16, 32, 64, 128, 256)), decode_head=dict(in_channels=16))
