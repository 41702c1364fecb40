"""nnU-Net's residual-encoder U-Net as planned for slices of 224 x 224, with deep supervision.

nnU-Net halves the weight of the loss from level to level, drops that of the coarsest of its five heads, and lets the
others sum to one (nnunetv2/training/nnUNetTrainer/nnUNetTrainer.py, `_build_loss`): 8, 4, 2 and 1 fifteenth. The head
without weight is not built.
"""

_base_ = ["dense_segmentor.py"]
model = dict(
    min_size=64,
    backbone=dict(
        type="ResidualEncoderUNet",
        widths=(32, 64, 128, 256, 512, 512),
        units=(1, 3, 4, 6, 6, 6),
    ),
    decode_head=dict(in_channels=32, in_index=4, loss_decode=dict(loss_weight=8 / 15)),
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
        for channels, level, weight in ((64, 3, 4 / 15), (128, 2, 2 / 15), (256, 1, 1 / 15))
    ],
)
