"""AdamW, half a cosine from 1e-4 down to 1e-6, gradients clipped at norm 1: what HiPerformer's paper gives."""

optim_wrapper = dict(
    type="PrecisionOptimWrapper",
    precision="$precision",
    optimizer=dict(type="AdamW", lr=1e-4, weight_decay=5e-4, fused=True),
    clip_grad=dict(max_norm=1.0),
)
param_scheduler = [
    dict(type="CosineAnnealingLR", eta_min=1e-6, begin=0, end="$max_iters", by_epoch=False),
]
