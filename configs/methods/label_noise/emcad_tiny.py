_base_ = [
    "../../_base_/models/emcad.py",
    "../../_base_/schedules/adamw_one_cycle_transformer.py",
    "../../_base_/default_runtime.py",
]
channels = (16, 32, 40, 64)
model = dict(
    backbone=dict(channels=channels, depths=(1, 1, 1, 1), mlp_ratios=(4, 4, 4, 4)),
    neck=dict(channels=channels),
    decode_head=dict(in_channels=16),
    auxiliary_head=[
        dict(
            type="ConvHead",
            in_channels=width,
            in_index=index,
            dropout_ratio=0.0,
            num_classes="$num_classes",
            out_channels="$num_classes",
            init_cfg=None,
        )
        for width, index in ((32, 2), (40, 1), (64, 0))
    ],
)
