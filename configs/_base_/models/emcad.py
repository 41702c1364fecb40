"""EMCAD on PVTv2-B2, trained on the sums of its four heads."""

model = dict(
    type="SubsetSumSegmentor",
    stride=32,
    data_preprocessor=dict(type="UnitPreprocessor"),
    backbone=dict(
        type="PyramidVisionTransformer",
        in_channels="$in_channels",
        channels=(64, 128, 320, 512),
        depths=(3, 4, 6, 3),
        mlp_ratios=(8, 8, 4, 4),
        learned_grey=True,
    ),
    neck=dict(type="EMCADDecoder", channels=(64, 128, 320, 512)),
    decode_head=dict(
        type="ConvHead",
        in_channels=64,
        in_index=3,
        dropout_ratio=0.0,
        num_classes="$num_classes",
        out_channels="$num_classes",
        # MMSegmentation's narrow start of the last layer (std 0.01) made classes collapse under the Dice term.
        init_cfg=None,
        loss_decode=dict(type="CEDiceLoss", ce_weight=0.3, dice_weight=0.7),
    ),
    auxiliary_head=[
        dict(
            type="ConvHead",
            in_channels=channels,
            in_index=index,
            dropout_ratio=0.0,
            num_classes="$num_classes",
            out_channels="$num_classes",
            init_cfg=None,
        )
        for channels, index in ((128, 2), (320, 1), (512, 0))
    ],
)
