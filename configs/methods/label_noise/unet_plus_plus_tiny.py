_base_ = [
    "../../_base_/models/unet_plus_plus.py",
    "../../_base_/schedules/adamw_one_cycle_convolutional.py",
    "../../_base_/default_runtime.py",
]
model = dict(
    backbone=dict(widths=(8, 16, 32, 64, 128)),
    decode_head=dict(in_channels=8),
    auxiliary_head=[
        dict(
            type="ConvHead",
            in_channels=8,
            in_index=index,
            dropout_ratio=0.0,
            num_classes="$num_classes",
            out_channels="$num_classes",
            init_cfg=None,
            loss_decode=dict(type="CEDiceLoss", ce_weight=0.5, loss_weight=1 / 4),
        )
        for index in (2, 1, 0)
    ],
)
