"""EMCAD on PVTv2-B2, trained on the sums of its four heads."""

_base_ = ["dense_segmentor.py"]
model = dict(
    type="SubsetSumSegmentor",
    backbone=dict(
        type="PyramidVisionTransformer",
        channels=(64, 128, 320, 512),
        depths=(3, 4, 6, 3),
        mlp_ratios=(8, 8, 4, 4),
        learned_grey=True,
    ),
    neck=dict(type="EMCADDecoder", channels=(64, 128, 320, 512)),
    decode_head=dict(
        in_channels=64,
        in_index=3,
        loss_decode=dict(ce_weight=0.3, dice_weight=0.7),
    ),
    auxiliary_head=[
        dict(
            type="ConvHead",
            in_channels=channels,
            in_index=index,
            dropout_ratio=0.0,
            num_classes="$num_classes",
            out_channels="$num_classes",
            init_cfg=None,
        )
        for channels, index in ((128, 2), (320, 1), (512, 0))
    ],
)
