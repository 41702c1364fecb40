"""UCTransNet at its published size."""

model = dict(
    type="DenseSegmentor",
    stride=16,
    data_preprocessor=dict(type="UnitPreprocessor"),
    backbone=dict(type="UCTransNet", in_channels="$in_channels", image_size="$image_size", base_channels=64),
    decode_head=dict(
        type="FCNHead",
        in_channels=64,
        in_index=0,
        channels=64,
        num_convs=0,
        concat_input=False,
        dropout_ratio=0.0,
        num_classes="$num_classes",
        out_channels="$num_classes",
        init_cfg=None,
        loss_decode=dict(type="CEDiceLoss", ce_weight=0.5, dice_weight=0.5),
    ),
)
