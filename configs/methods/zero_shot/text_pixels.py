_base_ = [
    "../../_base_/models/zero_shot_pixels.py",
    "../../_base_/schedules/adamw_poly_fine_tuned.py",
    "../../_base_/default_runtime.py",
]
