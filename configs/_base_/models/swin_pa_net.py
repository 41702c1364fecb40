"""SwinPA-Net at its published size: Swin-B with windows of 12."""

_base_ = ["dense_segmentor.py"]
model = dict(
    backbone=dict(
        type="SwinTransformer",
        embed_dims=128,
        depths=(2, 2, 18, 2),
        num_heads=(4, 8, 16, 32),
        window_size=12,
        drop_path_rate=0.2,
    ),
    neck=dict(type="SwinPANeck", channels=(128, 256, 512, 1024), out_channels=64),
    decode_head=dict(in_channels=64),
)
