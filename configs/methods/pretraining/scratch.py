_base_ = [
    "../../_base_/models/leaky_unet.py",
    "../../_base_/schedules/adam_cosine.py",
    "../../_base_/default_runtime.py",
]
