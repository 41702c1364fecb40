"""AdamW, a linear warm-up over the first twentieth, then polynomial decay."""

optim_wrapper = dict(
    type="PrecisionOptimWrapper",
    precision="$precision",
    optimizer=dict(type="AdamW", lr=1e-3, weight_decay=1e-2, fused=True),
    paramwise_cfg=dict(norm_decay_mult=0.0, bias_decay_mult=0.0),
)
param_scheduler = [
    dict(type="LinearLR", start_factor=1e-3, begin=0, end="$max_iters * 0.05", by_epoch=False),
    dict(type="PolyLR", power=1.0, eta_min=0.0, begin="$max_iters * 0.05", end="$max_iters", by_epoch=False),
]
