_base_ = ["scratch.py", "../../_base_/pretraining/macl.py"]
model = dict(backbone=dict(init_cfg=dict(type="EncoderWeights", file="$pretrained/encoder.pth", folder="$work_dir")))
