_base_ = ["unet_plus_plus.py"]
train_cfg = dict(
    paradigm=dict(type="DaleTraining", split=dict(), confidence=dict(), alignment=dict(), seed="$seed"),
)
train_dataloader = dict(dataset=dict(coordinates=True))
