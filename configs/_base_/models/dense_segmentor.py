"""What most networks have in common: standardised images, one classifier, equal shares of cross-entropy and Dice."""

model = dict(
    type="DenseSegmentor",
    stride=32,
    data_preprocessor=dict(type="UnitPreprocessor"),
    backbone=dict(in_channels="$in_channels"),
    decode_head=dict(
        type="ConvHead",
        dropout_ratio=0.0,
        num_classes="$num_classes",
        out_channels="$num_classes",
        # MMSegmentation's narrow start of the last layer (std 0.01) made classes collapse under the Dice term.
        init_cfg=None,
        loss_decode=dict(type="CEDiceLoss"),
    ),
)
