"""Adam, cosine to a hundredth: fine-tuning in SuperCL's released code."""

optim_wrapper = dict(
    type="PrecisionOptimWrapper",
    precision="$precision",
    optimizer=dict(type="Adam", lr=5e-4, weight_decay=1e-5),
)
param_scheduler = [
    dict(type="CosineAnnealingLR", T_max="$max_iters", eta_min=5e-6, begin=0, end="$max_iters", by_epoch=False)
]
