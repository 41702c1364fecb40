"""TransUNet with the encoder R50-ViT-B/16."""

_base_ = ["dense_segmentor.py"]
model = dict(
    stride=16,
    min_size=32,
    backbone=dict(
        type="TransUNet",
        image_size="$image_size",
        width=64,
        units=(3, 4, 9),
        channels=768,
        layers=12,
        heads=12,
        hidden=3072,
        dropout=0.1,
        bottom=512,
        decoder=(256, 128, 64, 16),
    ),
    decode_head=dict(in_channels=16, in_index=4, kernel_size=3, loss_decode=dict(ce_weight=0.5, dice_weight=0.5)),
)
