"""ConvFormer in SETR, at its published size."""

model = dict(
    type="DenseSegmentor",
    stride=8,
    data_preprocessor=dict(type="UnitPreprocessor"),
    backbone=dict(
        type="ConvFormer",
        in_channels="$in_channels",
        widths=(64, 128, 256, 512),
        layers=12,
        heads=8,
        hidden=2048,
    ),
    decode_head=dict(
        type="ConvHead",
        in_channels=128,
        dropout_ratio=0.0,
        align_corners=True,
        num_classes="$num_classes",
        out_channels="$num_classes",
        # MMSegmentation's narrow start of the last layer (std 0.01) made classes collapse under the Dice term.
        init_cfg=None,
        loss_decode=dict(type="CEDiceLoss"),
    ),
)
