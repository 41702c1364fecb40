"""EGE-UNet at its published widths, with losses on the masks of all five decoder levels."""

_base_ = ["dense_segmentor.py"]
model = dict(
    backbone=dict(
        type="EGEUNet",
        num_classes="$num_classes",
        widths=(8, 16, 24, 32, 48, 64),
    ),
    decode_head=dict(
        in_channels=8,
        in_index=5,
        align_corners=True,
        loss_decode=dict(smooth=1.0),
    ),
    auxiliary_head=[
        dict(
            type="ForegroundHead",
            in_index=index,
            align_corners=True,
            num_classes="$num_classes",
            out_channels="$num_classes",
            init_cfg=None,
            loss_decode=dict(type="CEDiceLoss", smooth=1.0, loss_weight=(index + 1) / 10),
        )
        for index in (4, 3, 2, 1, 0)
    ],
)
