"""The same for small images on one CPU core: a small convolutional encoder and narrow decoders."""

model = dict(
    type="QuerySegmentor",
    stride=8,
    data_preprocessor=dict(type="UnitPreprocessor"),
    backbone=dict(
        type="ClipTrunk",
        in_channels="$in_channels",
        clip="$clip",
        widths=(16, 32, 32),
        first=1,
        readout="cls_residual",
    ),
    neck=dict(type="FPNPixelDecoder", in_channels=(32, 160), channels=64),
    decode_head=dict(
        type="QueryHead",
        channels=64,
        num_classes="$num_classes",
        clip="$clip",
        names="$seen_names",
        points=(24, 24),
        groups=[
            dict(
                queries=20,
                targets="seen",
                assigner=dict(type="BatchedHungarianAssigner"),
                loss=dict(type="QueryGroupLoss"),
            ),
        ],
        decoder=dict(layers=3, levels=1, heads=4, hidden=128),
    ),
)
