"""TransFuse-S, with heads on the fused maps at 1/4 and 1/16 and on the transformer's map."""

_base_ = ["dense_segmentor.py"]
model = dict(
    stride=16,
    min_size=32,
    backbone=dict(
        type="TransFuse",
        image_size="$image_size",
        depth=34,
        width=64,
        channels=384,
        layers=8,
        heads=6,
        raised=(128, 64),
        dropout=0.2,
    ),
    decode_head=dict(
        in_channels=64,
        in_index=2,
        kernel_size=3,
        align_corners=True,
        loss_decode=dict(type="StructureLoss", loss_weight=0.5),
    ),
    auxiliary_head=[
        dict(
            type="ConvHead",
            in_channels=64,
            in_index=index,
            kernel_size=3,
            dropout_ratio=0.0,
            align_corners=True,
            num_classes="$num_classes",
            out_channels="$num_classes",
            init_cfg=None,
            loss_decode=dict(type="StructureLoss", loss_weight=weight),
        )
        for index, weight in ((1, 0.3), (0, 0.2))
    ],
)
