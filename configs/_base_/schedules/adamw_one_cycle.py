"""AdamW with one cycle of the learning rate: it rises linearly for three tenths of the training, then falls to zero."""

optim_wrapper = dict(
    type="PrecisionOptimWrapper",
    precision="$precision",
    optimizer=dict(type="AdamW", lr=5e-3, weight_decay=1e-2, fused=True),
)
param_scheduler = [
    dict(type="LinearLR", start_factor=0.04, begin=0, end="$max_iters * 0.3", by_epoch=False),
    dict(type="CosineAnnealingLR", eta_min=0.0, begin="$max_iters * 0.3", end="$max_iters", by_epoch=False),
]
