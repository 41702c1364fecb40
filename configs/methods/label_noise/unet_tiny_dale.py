_base_ = ["unet_tiny.py"]
train_cfg = dict(
    paradigm=dict(
        type="DaleTraining",
        # Patches as large beside these small inputs as the paper's 16 pixels beside 256.
        split=dict(patch_share=1 / 16),
        confidence=dict(),
        alignment=dict(),
        seed="$seed",
    )
)
# Where a pixel comes from, so that its confidence can be recorded with the image.
train_dataloader = dict(dataset=dict(coordinates=True))
