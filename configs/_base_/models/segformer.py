"""SegFormer with the B0 encoder."""

model = dict(
    type="DenseSegmentor",
    stride=32,
    data_preprocessor=dict(type="UnitPreprocessor"),
    backbone=dict(
        type="MixVisionTransformer",
        in_channels="$in_channels",
        embed_dims=32,
        num_stages=4,
        num_layers=[2, 2, 2, 2],
        num_heads=[1, 2, 5, 8],
        patch_sizes=[7, 3, 3, 3],
        sr_ratios=[8, 4, 2, 1],
        out_indices=(0, 1, 2, 3),
        mlp_ratio=4,
        qkv_bias=True,
        drop_rate=0.0,
        attn_drop_rate=0.0,
        drop_path_rate=0.1,
    ),
    decode_head=dict(
        type="SegformerHead",
        in_channels=[32, 64, 160, 256],
        in_index=[0, 1, 2, 3],
        channels=256,
        dropout_ratio=0.1,
        num_classes="$num_classes",
        out_channels="$num_classes",
        norm_cfg=dict(type="BN"),
        # MMSegmentation's narrow start of the last layer (std 0.01) made classes collapse under the Dice term.
        init_cfg=None,
        loss_decode=dict(type="CEDiceLoss"),
    ),
)
