_base_ = ["split_matching_no_mfe_tiny.py"]
model = dict(neck=dict(enhancement=dict(type="MultiScaleEnhancement", channels=64, levels=1)))
