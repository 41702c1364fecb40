_base_ = [
    "../../_base_/models/zero_shot_pixels_tiny.py",
    "../../_base_/schedules/adamw_one_cycle_transformer.py",
    "../../_base_/default_runtime.py",
]
model = dict(
    type="ClipZss",
    points=(48, 48),
)
train_dataloader = dict(dataset=dict(follow=dict(regions="$regions")))
train_cfg = dict(paradigm=dict(type="RegionTraining", embeddings="$regions"))
