_base_ = ["b0_vanilla_tiny.py"]
model = dict(neck=dict(enhancement=dict(type="MultiScaleEnhancement", channels=64, levels=1)))
