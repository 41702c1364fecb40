_base_ = [
    "../../_base_/models/swin_umamba.py",
    "../../_base_/schedules/adamw_one_cycle_transformer.py",
    "../../_base_/default_runtime.py",
]
model = dict(
    backbone=dict(stem=8, widths=(16, 32, 64, 128), depths=(1, 1, 2, 1), states=8),
    decode_head=dict(in_channels=8),
    auxiliary_head=[
        dict(
            type="ConvHead",
            in_channels=channels,
            in_index=level,
            dropout_ratio=0.0,
            num_classes="$num_classes",
            out_channels="$num_classes",
            init_cfg=None,
            loss_decode=dict(type="CEDiceLoss", loss_weight=weight),
        )
        for channels, level, weight in ((16, 3, 4 / 15), (32, 2, 2 / 15), (64, 1, 1 / 15))
    ],
)
