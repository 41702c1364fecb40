"""UCTransNet at its published size."""

_base_ = ["dense_segmentor.py"]
model = dict(
    stride=16,
    backbone=dict(type="UCTransNet", image_size="$image_size", base_channels=64),
    decode_head=dict(
        type="FCNHead",
        in_channels=64,
        in_index=0,
        channels=64,
        num_convs=0,
        concat_input=False,
        loss_decode=dict(ce_weight=0.5, dice_weight=0.5),
    ),
)
