"""The learning rate of HiPerformer's released trainer: down to 1e-6 in a third of the training, up again, and down.

T_max is 100 of its 300 epochs. The trainer steps once an epoch, this schedule every iteration.
"""

_base_ = ["adamw_cosine.py"]
param_scheduler = [
    dict(
        type="CosineAnnealingLR",
        T_max="$max_iters * 0.3333333",
        eta_min=1e-6,
        begin=0,
        end="$max_iters",
        by_epoch=False,
    ),
]
