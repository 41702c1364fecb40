_base_ = ["unet_tiny.py"]
train_cfg = dict(
    paradigm=dict(
        type="DaleTraining", split=dict(patch_share=1 / 16, tau=0.85), confidence=dict(), alignment=dict(), seed="$seed"
    )
)
train_dataloader = dict(dataset=dict(coordinates=True))
