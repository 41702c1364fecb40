"""DiRA with its three parts."""

_base_ = ["frame.py"]
pretraining = dict(
    model=dict(type="DiRA", mode="dira", restoration_weight=10.0, adversarial_weight=0.001, warm_up=0.3),
    train_dataloader=dict(dataset=dict(views=dict(type="DistortedViews"))),
)
