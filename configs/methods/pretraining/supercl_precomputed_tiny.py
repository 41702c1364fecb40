_base_ = ["scratch_tiny.py", "../../_base_/pretraining/supercl_precomputed.py"]
model = dict(backbone=dict(init_cfg=dict(type="EncoderWeights", file="$pretrained/encoder.pth", folder="$work_dir")))
pretraining = dict(superpixels=dict(segments=16), model=dict(stride=4))
