_base_ = ["lan_guide_med_seg.py"]
train_cfg = dict(
    paradigm=dict(type="DaleTraining", split=dict(), confidence=dict(), alignment=dict(), seed="$seed"),
)
train_dataloader = dict(dataset=dict(coordinates=True))
