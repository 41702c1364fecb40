_base_ = [
    "../../_base_/models/cswin_unet.py",
    "../../_base_/schedules/adamw_one_cycle_transformer.py",
    "../../_base_/default_runtime.py",
]
model = dict(
    backbone=dict(embed_channels=24, depths=(1, 2, 2, 1), heads=(2, 4, 8, 8)),
    decode_head=dict(in_channels=24),
)
