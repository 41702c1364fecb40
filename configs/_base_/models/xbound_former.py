"""XBound-Former on PVTv2-B2, with heads on the joined map and on each scale."""

_base_ = ["dense_segmentor.py"]
model = dict(
    type="XBoundFormer",
    backbone=dict(
        type="PyramidVisionTransformer",
        channels=(64, 128, 320, 512),
        depths=(3, 4, 6, 3),
        mlp_ratios=(8, 8, 4, 4),
    ),
    neck=dict(type="XBoundNeck", in_channels=(64, 128, 320, 512), channels=128, hidden=2048, cross_hidden=512),
    decode_head=dict(
        in_channels=64,
        in_index=0,
        loss_decode=dict(type="StructureLoss", loss_weight=1 / 4),
    ),
    auxiliary_head=[
        dict(
            type="ConvHead",
            in_channels=128,
            in_index=index,
            dropout_ratio=0.0,
            num_classes="$num_classes",
            out_channels="$num_classes",
            init_cfg=None,
            loss_decode=dict(type="StructureLoss", loss_weight=1 / 4),
        )
        for index in (1, 2, 3)
    ],
    point_loss=dict(type="KeyPointLoss"),
)
