"""Swin-UMamba at its published size, with heads on the four finest maps of the decoder.

The weights of the losses halve from level to level and sum to one.
"""

_base_ = ["dense_segmentor.py"]
model = dict(
    backbone=dict(
        type="SwinUMamba",
        stem=48,
        widths=(96, 192, 384, 768),
        depths=(2, 2, 9, 2),
        states=16,
        drop_path=0.2,
    ),
    decode_head=dict(
        in_channels=48,
        in_index=4,
        loss_decode=dict(loss_weight=8 / 15),
    ),
    auxiliary_head=[
        dict(
            type="ConvHead",
            in_channels=channels,
            in_index=level,
            dropout_ratio=0.0,
            num_classes="$num_classes",
            out_channels="$num_classes",
            init_cfg=None,
            loss_decode=dict(type="CEDiceLoss", loss_weight=weight),
        )
        for channels, level, weight in ((96, 3, 4 / 15), (192, 2, 2 / 15), (384, 1, 1 / 15))
    ],
)
