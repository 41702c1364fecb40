_base_ = ["../../_base_/models/xbound_former.py", "../../_base_/default_runtime.py"]

# As published, but for the cosine, which the released code lets rise and fall again every 20 epochs.
optim_wrapper = dict(
    type="PrecisionOptimWrapper",
    precision="$precision",
    optimizer=dict(type="Adam", lr=1e-4),
)
param_scheduler = [dict(type="CosineAnnealingLR", eta_min=0.0, begin=0, end="$max_iters", by_epoch=False)]
