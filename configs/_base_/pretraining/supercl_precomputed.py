"""SuperCL with superpixels made once for each image, by OpenCV."""

_base_ = ["supercl.py"]
pretraining = dict(
    superpixels=dict(algorithm="slic_opencv", segments=100, compactness=10.0),
    train_dataloader=dict(dataset=dict(views=dict(recipe=None), superpixels="$superpixels")),
)
