"""The same for small images on one CPU core."""

model = dict(
    type="TextSegmentor",
    stride=16,
    data_preprocessor=dict(type="UnitPreprocessor"),
    backbone=dict(type="SmallConvNet", in_channels="$in_channels", widths=(16, 32, 64, 96), first=1),
    neck=dict(type="FPNPixelDecoder", in_channels=(32, 64, 96), channels=64),
    decode_head=dict(type="TextHead", num_classes="$num_classes", clip="$clip", names="$seen_names", in_channels=64),
)
