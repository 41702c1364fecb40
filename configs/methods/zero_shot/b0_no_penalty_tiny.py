_base_ = [
    "../../_base_/models/zero_shot_queries_tiny.py",
    "../../_base_/schedules/adamw_poly.py",
    "../../_base_/default_runtime.py",
]
model = dict(
    decode_head=dict(
        groups=[
            dict(
                queries=20,
                targets="seen",
                spare_unannotated=0.5,
                assigner=dict(type="BatchedHungarianAssigner"),
                loss=dict(type="QueryGroupLoss"),
            ),
        ],
    ),
)
