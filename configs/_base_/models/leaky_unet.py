"""The U-Net of SuperCL's released code, initialised as there."""

model = dict(
    type="DenseSegmentor",
    stride=16,
    data_preprocessor=dict(type="UnitPreprocessor"),
    init_cfg=dict(
        type="Kaiming",
        a=0.01,
        mode="fan_in",
        nonlinearity="leaky_relu",
        layer=["Conv2d", "ConvTranspose2d"],
    ),
    backbone=dict(
        type="LeakyUNetEncoder",
        in_channels="$encoder_channels",
        widths=(32, 64, 128, 256, 512),
    ),
    neck=dict(type="LeakyUNetDecoder", widths=(32, 64, 128, 256, 512)),
    decode_head=dict(
        type="ConvHead",
        in_channels=32,
        in_index=-1,
        bias=False,
        dropout_ratio=0.0,
        num_classes="$num_classes",
        out_channels="$num_classes",
        # The initialisation of the whole network is that of the head too.
        init_cfg=None,
        loss_decode=dict(type="CrossEntropyLoss", avg_non_ignore=True),
    ),
)
