_base_ = [
    "../../_base_/models/lan_guide_med_seg.py",
    "../../_base_/schedules/adamw_one_cycle_transformer.py",
    "../../_base_/default_runtime.py",
]
model = dict(
    data_preprocessor=dict(tokenizer=dict(_delete_=True, type="HashTokenizer", vocabulary=512, length=24)),
    backbone=dict(
        text=dict(_delete_=True, type="BertTower", vocabulary=512, channels=32, layers=1, heads=2, hidden=64),
        widths=(8, 16, 32, 64),
        depths=(1, 1, 1, 1),
    ),
)
# Every training image comes with its text.
train_dataloader = dict(dataset=dict(text=True))
