_base_ = [
    "../../_base_/models/attention_unet.py",
    "../../_base_/schedules/adamw_one_cycle.py",
    "../../_base_/default_runtime.py",
]
