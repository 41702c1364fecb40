"""The same for small images on one CPU core."""

model = dict(
    type="TextSegmentor",
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
    decode_head=dict(type="TextHead", num_classes="$num_classes", clip="$clip", names="$seen_names", in_channels=64),
)
