"""SwAV as configured in SuperCL's comparison: two views, no queue."""

_base_ = ["frame.py"]
pretraining = dict(
    model=dict(
        type="SwAV", prototypes=3000, hidden=2048, width=128, epsilon=0.05, sinkhorn_iterations=3, frozen_steps=313
    )
)
