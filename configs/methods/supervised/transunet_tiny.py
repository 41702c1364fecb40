_base_ = [
    "../../_base_/models/transunet.py",
    "../../_base_/schedules/adamw_one_cycle_transformer.py",
    "../../_base_/default_runtime.py",
]
model = dict(
    backbone=dict(
        width=32,
        units=(1, 1, 1),
        channels=96,
        layers=4,
        heads=4,
        hidden=384,
        bottom=128,
        decoder=(64, 32, 16, 16),
    ),
)
