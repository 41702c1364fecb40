_base_ = [
    "../../_base_/models/zero_shot_queries_tiny.py",
    "../../_base_/schedules/adamw_poly.py",
    "../../_base_/default_runtime.py",
]
model = dict(
    decode_head=dict(
        groups=[
            dict(
                queries=10,
                targets="seen",
                assigner=dict(type="BatchedHungarianAssigner"),
                loss=dict(type="QueryGroupLoss"),
            ),
            dict(
                queries=10,
                targets="candidates",
                class_cost="cosine",
                assigner=dict(type="BatchedHungarianAssigner"),
                loss=dict(type="QueryGroupLoss"),
            ),
        ],
    ),
)
train_dataloader = dict(dataset=dict(follow=dict(regions="$regions")))
train_cfg = dict(paradigm=dict(type="RegionTraining", embeddings="$regions"))
