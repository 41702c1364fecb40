"""U-Net++ at its published width, with deep supervision: the mean of the losses of four heads."""

model = dict(
    type="DenseSegmentor",
    stride=16,
    data_preprocessor=dict(type="UnitPreprocessor"),
    backbone=dict(type="UNetPlusPlus", in_channels="$in_channels", widths=(32, 64, 128, 256, 512)),
    decode_head=dict(
        type="ConvHead",
        in_channels=32,
        in_index=3,
        dropout_ratio=0.0,
        num_classes="$num_classes",
        out_channels="$num_classes",
        # MMSegmentation's narrow start of the last layer (std 0.01) made classes collapse under the Dice term.
        init_cfg=None,
        loss_decode=dict(type="CEDiceLoss", ce_weight=0.5, loss_weight=1 / 4),
    ),
    auxiliary_head=[
        dict(
            type="ConvHead",
            in_channels=32,
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
