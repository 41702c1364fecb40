"""nnU-Net's residual-encoder U-Net as planned for slices of 224 x 224, with deep supervision.

The weights of the losses halve from level to level and sum to one; that of the coarsest of nnU-Net's five heads is
zero, so four are built.
"""

model = dict(
    type="DenseSegmentor",
    stride=32,
    min_size=64,
    data_preprocessor=dict(type="UnitPreprocessor"),
    backbone=dict(
        type="ResidualEncoderUNet",
        in_channels="$in_channels",
        widths=(32, 64, 128, 256, 512, 512),
        units=(1, 3, 4, 6, 6, 6),
    ),
    decode_head=dict(
        type="ConvHead",
        in_channels=32,
        in_index=4,
        dropout_ratio=0.0,
        num_classes="$num_classes",
        out_channels="$num_classes",
        # MMSegmentation's narrow start of the last layer (std 0.01) made classes collapse under the Dice term.
        init_cfg=None,
        loss_decode=dict(type="CEDiceLoss", loss_weight=8 / 15),
    ),
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
        for channels, level, weight in ((64, 3, 4 / 15), (128, 2, 2 / 15), (256, 1, 1 / 15))
    ],
)
