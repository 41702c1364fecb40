_base_ = [
    "../../_base_/schedules/adamw_poly_prompts.py",
    "../../_base_/default_runtime.py",
]
model = dict(
    type="ClassMaskSegmentor",
    stride=16,
    data_preprocessor=dict(type="UnitPreprocessor", mean=(0.0,), std=(1.0,)),
    backbone=dict(type="PromptedClip", clip="$clip", prompts=10),
    decode_head=dict(
        type="ZegClipHead",
        num_classes="$num_classes",
        clip="$clip",
        names="$seen_names",
        channels=512,
        layers=3,
        heads=8,
        hidden=2048,
    ),
)
