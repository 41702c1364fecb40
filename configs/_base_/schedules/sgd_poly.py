"""SGD with momentum and polynomial decay from the first step: the recipe of the TransUNet family."""

optim_wrapper = dict(
    type="PrecisionOptimWrapper",
    precision="$precision",
    optimizer=dict(type="SGD", lr=0.01, momentum=0.9, weight_decay=1e-4),
)
param_scheduler = [dict(type="PolyLR", power=0.9, eta_min=0.0, begin=0, end="$max_iters", by_epoch=False)]
