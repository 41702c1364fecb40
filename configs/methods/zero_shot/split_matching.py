_base_ = ["split_matching_no_mfe.py"]
model = dict(neck=dict(enhancement=dict(type="MultiScaleEnhancement", channels=256)))
