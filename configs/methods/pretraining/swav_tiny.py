_base_ = ["scratch_tiny.py", "../../_base_/pretraining/swav.py"]
model = dict(backbone=dict(init_cfg=dict(type="EncoderWeights", file="$pretrained/encoder.pth", folder="$work_dir")))
pretraining = dict(model=dict(prototypes=64, hidden=128, width=64, frozen_steps=0))
