"""U-Net++ at its published width, with deep supervision: the mean of the losses of four heads."""

_base_ = ["dense_segmentor.py"]
model = dict(
    stride=16,
    backbone=dict(type="UNetPlusPlus", widths=(32, 64, 128, 256, 512)),
    decode_head=dict(
        in_channels=32,
        in_index=3,
        loss_decode=dict(ce_weight=0.5, loss_weight=1 / 4),
    ),
    auxiliary_head=[
        dict(
            type="ConvHead",
            in_channels=32,
            in_index=index,
            dropout_ratio=0.0,
            num_classes="$num_classes",
            out_channels="$num_classes",
            init_cfg=None,
            loss_decode=dict(type="CEDiceLoss", ce_weight=0.5, loss_weight=1 / 4),
        )
        for index in (2, 1, 0)
    ],
)
