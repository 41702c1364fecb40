"""SwinPA-Net at its published size: Swin-B with windows of 12."""

model = dict(
    type="DenseSegmentor",
    stride=32,
    data_preprocessor=dict(type="UnitPreprocessor"),
    backbone=dict(
        type="SwinTransformer",
        in_channels="$in_channels",
        embed_dims=128,
        depths=(2, 2, 18, 2),
        num_heads=(4, 8, 16, 32),
        window_size=12,
        drop_path_rate=0.2,
    ),
    neck=dict(type="SwinPANeck", channels=(128, 256, 512, 1024), out_channels=64),
    decode_head=dict(
        type="ConvHead",
        in_channels=64,
        dropout_ratio=0.0,
        num_classes="$num_classes",
        out_channels="$num_classes",
        # MMSegmentation's narrow start of the last layer (std 0.01) made classes collapse under the Dice term.
        init_cfg=None,
        loss_decode=dict(type="CEDiceLoss"),
    ),
)
