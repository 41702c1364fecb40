_base_ = [
    "../../_base_/models/segformer.py",
    "../../_base_/schedules/adamw_poly.py",
    "../../_base_/default_runtime.py",
]
