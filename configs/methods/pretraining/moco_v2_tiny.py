_base_ = ["scratch_tiny.py", "../../_base_/pretraining/moco_v2.py"]
model = dict(backbone=dict(init_cfg=dict(type="EncoderWeights", file="$pretrained/encoder.pth", folder="$work_dir")))
pretraining = dict(model=dict(queue=512, momentum=0.99))
