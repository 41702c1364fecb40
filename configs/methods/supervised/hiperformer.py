_base_ = [
    "../../_base_/models/hiperformer.py",
    "../../_base_/schedules/adamw_cosine.py",
    "../../_base_/default_runtime.py",
]
