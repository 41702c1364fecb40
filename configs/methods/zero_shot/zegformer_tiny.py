_base_ = [
    "../../_base_/models/zero_shot_queries_tiny.py",
    "../../_base_/schedules/adamw_one_cycle_transformer.py",
    "../../_base_/default_runtime.py",
]
model = dict(type="ZegFormer", clip="$clip")
