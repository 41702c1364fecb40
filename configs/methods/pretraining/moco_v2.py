_base_ = ["scratch.py", "../../_base_/pretraining/moco_v2.py"]
model = dict(backbone=dict(init_cfg=dict(type="EncoderWeights", file="$pretrained/encoder.pth", folder="$work_dir")))
