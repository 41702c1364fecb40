_base_ = ["zegclip_tiny.py"]
model = dict(
    backbone=dict(type="RegionBridgeClip", grid=2),
    decode_head=dict(type="ClipRcHead"),
)
# The recovery decoder serves training only.
not_live = ["decode_head.recover"]
