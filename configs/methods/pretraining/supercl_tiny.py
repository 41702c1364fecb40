_base_ = ["scratch_tiny.py", "../../_base_/pretraining/supercl.py"]
model = dict(backbone=dict(init_cfg=dict(type="EncoderWeights", file="$pretrained/encoder.pth", folder="$work_dir")))
pretraining = dict(
    model=dict(stride=4),
    train_dataloader=dict(dataset=dict(views=dict(recipe=dict(segments=16)))),
)
