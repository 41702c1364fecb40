_base_ = [
    "../../_base_/schedules/adamw_one_cycle_transformer.py",
    "../../_base_/default_runtime.py",
]
model = dict(
    type="ClassMaskSegmentor",
    stride=8,
    data_preprocessor=dict(type="UnitPreprocessor", mean=(0.0,), std=(1.0,)),
    backbone=dict(type="PromptedClip", clip="$clip", prompts=4),
    decode_head=dict(
        type="ZegClipHead",
        num_classes="$num_classes",
        clip="$clip",
        names="$seen_names",
        channels=64,
        layers=3,
        heads=4,
        hidden=128,
    ),
)
