_base_ = ["scratch_tiny.py", "../../_base_/pretraining/desd.py"]
model = dict(backbone=dict(init_cfg=dict(type="EncoderWeights", file="$pretrained/encoder.pth", folder="$work_dir")))
pretraining = dict(model=dict(hidden=128, width=64, prototypes=256, momentum=0.99))
