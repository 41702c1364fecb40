_base_ = [
    "../../_base_/models/xbound_former.py",
    "../../_base_/schedules/adamw_one_cycle_transformer.py",
    "../../_base_/default_runtime.py",
]
channels = (16, 32, 40, 64)
model = dict(
    backbone=dict(channels=channels, depths=(1, 1, 1, 1), mlp_ratios=(4, 4, 4, 4)),
    neck=dict(in_channels=channels, channels=32, heads=4, hidden=64, cross_hidden=64),
    decode_head=dict(in_channels=16),
    auxiliary_head=[
        dict(
            type="ConvHead",
            in_channels=32,
            in_index=index,
            dropout_ratio=0.0,
            num_classes="$num_classes",
            out_channels="$num_classes",
            init_cfg=None,
            loss_decode=dict(type="StructureLoss", loss_weight=1 / 4),
        )
        for index in (1, 2, 3)
    ],
)
