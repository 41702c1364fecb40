"""HiPerformer at its published width."""

widths = [128, 256, 512, 1024]
model = dict(
    type="HiPerformer",
    stride=32,
    # The released code feeds intensities scaled to [0, 1] as they are.
    data_preprocessor=dict(type="UnitPreprocessor", mean=(0.0,), std=(1.0,)),
    backbone=dict(
        type="HiPerformerBackbone",
        in_channels="$in_channels",
        branches=("local", "global"),
        global_branch=dict(
            type="LeanSwinTransformer",
            embed_dims=128,
            depths=(2, 2, 18, 2),
            num_heads=(4, 8, 16, 32),
            window_size=7,
            drop_path_rate=0.2,
        ),
        lgff=dict(
            irmlp_conv="dense",
            aci="reversed",
            channel_attention_on="global",
            spatial_norm=True,
            mixture="projected",
        ),
    ),
    neck=dict(
        type="HiPerformerPPA",
        in_channels=widths,
        with_pmi=True,
        with_pga=True,
        shared_decoder=True,
        pga=dict(gated="skip", gate_groups=32, psa_groups=(1, 4, 8, 16), psa_reduction=16),
    ),
    decode_head=dict(
        type="HiPerformerHead",
        in_channels=widths,
        summed=True,
        num_classes="$num_classes",
        out_channels="$num_classes",
        init_cfg=None,
        loss_decode=dict(type="CEDiceLoss", ce_weight=0.5, dice_weight=0.5, background=True, squared=True),
    ),
)
