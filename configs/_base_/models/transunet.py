"""TransUNet with the encoder R50-ViT-B/16."""

model = dict(
    type="DenseSegmentor",
    stride=16,
    min_size=32,
    data_preprocessor=dict(type="UnitPreprocessor"),
    backbone=dict(
        type="TransUNet",
        in_channels="$in_channels",
        image_size="$image_size",
        width=64,
        units=(3, 4, 9),
        channels=768,
        layers=12,
        heads=12,
        hidden=3072,
        dropout=0.1,
        bottom=512,
        decoder=(256, 128, 64, 16),
    ),
    decode_head=dict(
        type="ConvHead",
        in_channels=16,
        in_index=4,
        kernel_size=3,
        dropout_ratio=0.0,
        num_classes="$num_classes",
        out_channels="$num_classes",
        # MMSegmentation's narrow start of the last layer (std 0.01) made classes collapse under the Dice term.
        init_cfg=None,
        loss_decode=dict(type="CEDiceLoss", ce_weight=0.5, dice_weight=0.5),
    ),
)
