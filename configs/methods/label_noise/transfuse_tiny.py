_base_ = [
    "../../_base_/models/transfuse.py",
    "../../_base_/schedules/adamw_one_cycle_transformer.py",
    "../../_base_/default_runtime.py",
]
model = dict(
    backbone=dict(depth=18, width=8, channels=48, layers=4, heads=3, raised=(16, 8)),
    decode_head=dict(in_channels=8),
    auxiliary_head=[
        dict(
            type="ConvHead",
            in_channels=8,
            in_index=index,
            kernel_size=3,
            dropout_ratio=0.0,
            align_corners=True,
            num_classes="$num_classes",
            out_channels="$num_classes",
            init_cfg=None,
            loss_decode=dict(type="StructureLoss", loss_weight=weight),
        )
        for index, weight in ((1, 0.3), (0, 0.2))
    ],
)
