_base_ = ["scratch_tiny.py", "../../_base_/pretraining/dira.py"]
model = dict(backbone=dict(init_cfg=dict(type="EncoderWeights", file="$pretrained/encoder.pth", folder="$work_dir")))
pretraining = dict(model=dict(queue=512, momentum=0.99, judge_width=16))
