"""Swin-UNet, tiny."""

model = dict(
    type="DenseSegmentor",
    stride=32,
    data_preprocessor=dict(type="UnitPreprocessor"),
    backbone=dict(
        type="SwinUNet",
        in_channels="$in_channels",
        image_size="$image_size",
        channels=96,
        depths=(2, 2, 2, 2),
        heads=(3, 6, 12, 24),
        window=7,
        drop_path_rate=0.2,
    ),
    decode_head=dict(
        type="ConvHead",
        in_channels=96,
        in_index=3,
        bias=False,
        dropout_ratio=0.0,
        num_classes="$num_classes",
        out_channels="$num_classes",
        # MMSegmentation's narrow start of the last layer (std 0.01) made classes collapse under the Dice term.
        init_cfg=None,
        loss_decode=dict(type="CEDiceLoss", ce_weight=0.4, dice_weight=0.6),
    ),
)
