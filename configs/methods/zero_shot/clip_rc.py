_base_ = ["zegclip.py"]
model = dict(
    backbone=dict(type="RegionBridgeClip", grid=4),
    decode_head=dict(type="ClipRcHead"),
)
# The recovery decoder serves training only.
not_live = ["decode_head.recover"]
