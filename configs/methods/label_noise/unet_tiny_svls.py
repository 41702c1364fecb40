_base_ = ["unet_tiny.py"]
model = dict(decode_head=dict(loss_decode=[dict(type="SpatialSmoothingLoss"), dict(type="CEDiceLoss", ce_weight=0.0)]))
