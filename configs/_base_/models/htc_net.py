"""HTC-Net at its published size."""

_base_ = ["dense_segmentor.py"]
model = dict(
    backbone=dict(
        type="HTCNet",
        image_size="$image_size",
        channels=(192, 384, 768),
        depths=(2, 2, 2),
        heads=(6, 12, 24),
        decoder_channels=(128, 64, 32, 16),
        window=7,
        drop_path_rate=0.2,
    ),
    decode_head=dict(in_channels=16, kernel_size=3, loss_decode=dict(ce_weight=1.0, dice_weight=0.0)),
)
