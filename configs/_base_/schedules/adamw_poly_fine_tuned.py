"""AdamW at 1e-4, a tenth of it in the backbone, polynomial decay, as networks with queries are trained."""

optim_wrapper = dict(
    type="PrecisionOptimWrapper",
    precision="$precision",
    optimizer=dict(type="AdamW", lr=1e-4, weight_decay=0.05, fused=True),
    paramwise_cfg=dict(norm_decay_mult=0.0, custom_keys=dict(backbone=dict(lr_mult=0.1))),
    clip_grad=dict(max_norm=0.01),
)
param_scheduler = [dict(type="PolyLR", power=0.9, eta_min=0.0, begin=0, end="$max_iters", by_epoch=False)]
