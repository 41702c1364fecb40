"""SimTriplet; the third view is of a slice beside."""

_base_ = ["frame.py"]
pretraining = dict(
    model=dict(type="SimTriplet"),
    train_dataloader=dict(dataset=dict(views=dict(type="NeighbourViews"))),
)
