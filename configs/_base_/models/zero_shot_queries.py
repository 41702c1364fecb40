"""One group of queries, matched with the annotated classes only; ResNet-101, feature pyramid, masked attention."""

model = dict(
    type="QuerySegmentor",
    stride=32,
    data_preprocessor=dict(type="UnitPreprocessor", mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225)),
    backbone=dict(
        type="ResNetV1c",
        depth=101,
        in_channels="$in_channels",
        init_cfg=dict(type="Pretrained", checkpoint="open-mmlab://resnet101_v1c"),
    ),
    neck=dict(type="FPNPixelDecoder", in_channels=(256, 512, 1024, 2048), channels=256),
    decode_head=dict(
        type="QueryHead",
        channels=256,
        num_classes="$num_classes",
        clip="$clip",
        names="$seen_names",
        points=(112, 112),
        groups=[
            dict(
                queries=100,
                targets="seen",
                assigner=dict(type="BatchedHungarianAssigner"),
                loss=dict(type="QueryGroupLoss"),
            ),
        ],
        decoder=dict(layers=9, heads=8, hidden=2048),
    ),
)
