_base_ = [
    "../../_base_/models/htc_net.py",
    "../../_base_/schedules/adamw_one_cycle_transformer.py",
    "../../_base_/default_runtime.py",
]
model = dict(
    backbone=dict(channels=(32, 64, 128), heads=(1, 2, 4), decoder_channels=(64, 32, 16, 16)),
    decode_head=dict(loss_decode=dict(ce_weight=1.0, dice_weight=1.0)),
)
