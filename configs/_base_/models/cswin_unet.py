"""CSWin-UNet at its published size."""

_base_ = ["dense_segmentor.py"]
model = dict(
    backbone=dict(
        type="CSWinUNet",
        embed_channels=64,
        depths=(1, 2, 9, 1),
        heads=(2, 4, 8, 16),
        stripes=(1, 2, 7),
        drop_path=0.2,
    ),
    decode_head=dict(in_channels=64, bias=False, loss_decode=dict(ce_weight=0.4, dice_weight=0.6)),
)
