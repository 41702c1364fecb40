_base_ = ["../../_base_/models/uctransnet.py", "../../_base_/default_runtime.py"]

# As published, but for the cosine: the released code restarts it every ten epochs.
optim_wrapper = dict(
    type="PrecisionOptimWrapper",
    precision="$precision",
    optimizer=dict(type="Adam", lr=1e-3),
)
param_scheduler = [dict(type="CosineAnnealingLR", eta_min=1e-4, begin=0, end="$max_iters", by_epoch=False)]
