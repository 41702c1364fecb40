_base_ = ["../../_base_/schedules/adamw_poly.py", "../../_base_/default_runtime.py"]
model = dict(
    type="TextSegmentor",
    stride=8,
    data_preprocessor=dict(type="UnitPreprocessor", mean=(0.0,), std=(1.0,)),
    backbone=dict(type="DenseClip", clip="$clip", readout="cls_residual"),
    decode_head=dict(type="TextHead", num_classes="$num_classes", clip="$clip", names="$seen_names"),
)
train_dataloader = dict(batch_size=1)
train_cfg = dict(paradigm=dict(type="NoTraining"))
