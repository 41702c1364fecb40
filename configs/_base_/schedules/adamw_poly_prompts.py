"""ZegCLIP's schedule: AdamW at 2e-4 for prompts and head, a linear warm-up (1,500 of 20,000 iterations), decay."""

optim_wrapper = dict(
    type="PrecisionOptimWrapper",
    precision="$precision",
    optimizer=dict(type="AdamW", lr=2e-4, weight_decay=0.01, fused=True),
    paramwise_cfg=dict(norm_decay_mult=0.0),
)
param_scheduler = [
    dict(type="LinearLR", start_factor=1e-6, begin=0, end="$max_iters * 0.075", by_epoch=False),
    dict(type="PolyLR", power=0.9, eta_min=1e-6, begin="$max_iters * 0.075", end="$max_iters", by_epoch=False),
]
