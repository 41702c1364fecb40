"""XBound-Former on PVTv2-B2, with heads on the joined map and on each scale."""

model = dict(
    type="XBoundFormer",
    stride=32,
    data_preprocessor=dict(type="UnitPreprocessor"),
    backbone=dict(
        type="PyramidVisionTransformer",
        in_channels="$in_channels",
        channels=(64, 128, 320, 512),
        depths=(3, 4, 6, 3),
        mlp_ratios=(8, 8, 4, 4),
    ),
    neck=dict(type="XBoundNeck", in_channels=(64, 128, 320, 512), channels=128, hidden=2048, cross_hidden=512),
    decode_head=dict(
        type="ConvHead",
        in_channels=64,
        in_index=0,
        dropout_ratio=0.0,
        num_classes="$num_classes",
        out_channels="$num_classes",
        # MMSegmentation's narrow start of the last layer (std 0.01) made classes collapse under the Dice term.
        init_cfg=None,
        loss_decode=dict(type="StructureLoss", loss_weight=1 / 4),
    ),
    auxiliary_head=[
        dict(
            type="ConvHead",
            in_channels=128,
            in_index=index,
            dropout_ratio=0.0,
            num_classes="$num_classes",
            out_channels="$num_classes",
            init_cfg=None,
            loss_decode=dict(type="StructureLoss", loss_weight=1 / 4),
        )
        for index in (1, 2, 3)
    ],
    point_loss=dict(type="KeyPointLoss"),
)
