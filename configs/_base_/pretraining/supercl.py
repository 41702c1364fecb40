"""SuperCL as released: each view that differs in intensity is divided into superpixels anew."""

_base_ = ["frame.py"]
pretraining = dict(
    model=dict(
        type="SuperCL",
        temperature=0.1,
        threshold=0.1,
        weights=(1.0, 1.0, 0.5),
        sampling="stride",
        stride=16,
        asp_norm="image",
        grouping="components",
    ),
    train_dataloader=dict(
        dataset=dict(
            views=dict(type="SuperpixelViews", recipe=dict(algorithm="slic_skimage", segments=100, compactness=10.0)),
        )
    ),
)
