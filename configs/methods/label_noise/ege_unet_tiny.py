_base_ = [
    "../../_base_/models/ege_unet.py",
    "../../_base_/schedules/adamw_one_cycle_convolutional.py",
    "../../_base_/default_runtime.py",
]
model = dict(backbone=dict(widths=(8, 8, 12, 16, 16, 24)))
