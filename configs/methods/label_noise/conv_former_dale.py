_base_ = ["conv_former.py"]
train_cfg = dict(
    paradigm=dict(type="DaleTraining", split=dict(), confidence=dict(), alignment=dict(), seed="$seed"),
)
train_dataloader = dict(dataset=dict(coordinates=True))
