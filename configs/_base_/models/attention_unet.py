"""Attention U-Net at its published width, one head."""

model = dict(
    type="DenseSegmentor",
    stride=16,
    data_preprocessor=dict(type="UnitPreprocessor"),
    backbone=dict(
        type="AttentionUNet",
        in_channels="$in_channels",
        widths=(64, 128, 256, 512, 1024),
    ),
    decode_head=dict(
        type="ConvHead",
        in_channels=64,
        in_index=4,
        dropout_ratio=0.0,
        num_classes="$num_classes",
        out_channels="$num_classes",
        # MMSegmentation's narrow start of the last layer (std 0.01) made classes collapse under the Dice term.
        init_cfg=None,
        loss_decode=dict(type="CEDiceLoss"),
    ),
)
