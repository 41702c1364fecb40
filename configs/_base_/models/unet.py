"""MMSegmentation's U-Net at its published width, with one head and no auxiliary one."""

model = dict(
    type="DenseSegmentor",
    stride=16,
    data_preprocessor=dict(type="UnitPreprocessor"),
    backbone=dict(
        type="UNet",
        in_channels="$in_channels",
        base_channels=64,
        num_stages=5,
        strides=(1, 1, 1, 1, 1),
        enc_num_convs=(2, 2, 2, 2, 2),
        dec_num_convs=(2, 2, 2, 2),
        downsamples=(True, True, True, True),
        enc_dilations=(1, 1, 1, 1, 1),
        dec_dilations=(1, 1, 1, 1),
        norm_cfg=dict(type="BN"),
        upsample_cfg=dict(type="InterpConv"),
    ),
    decode_head=dict(
        type="FCNHead",
        in_channels=64,
        in_index=4,
        channels=64,
        num_convs=0,
        concat_input=False,
        dropout_ratio=0.0,
        num_classes="$num_classes",
        out_channels="$num_classes",
        norm_cfg=dict(type="BN"),
        # MMSegmentation's narrow start of the last layer (std 0.01) made classes collapse under the Dice term.
        init_cfg=None,
        loss_decode=dict(type="CEDiceLoss"),
    ),
)
