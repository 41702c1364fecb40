"""CSWin-UNet at its published size."""

model = dict(
    type="DenseSegmentor",
    stride=32,
    data_preprocessor=dict(type="UnitPreprocessor"),
    backbone=dict(
        type="CSWinUNet",
        in_channels="$in_channels",
        embed_channels=64,
        depths=(1, 2, 9, 1),
        heads=(2, 4, 8, 16),
        stripes=(1, 2, 7),
        drop_path=0.2,
    ),
    decode_head=dict(
        type="ConvHead",
        in_channels=64,
        bias=False,
        dropout_ratio=0.0,
        num_classes="$num_classes",
        out_channels="$num_classes",
        init_cfg=None,
        loss_decode=dict(type="CEDiceLoss", ce_weight=0.4, dice_weight=0.6),
    ),
)
