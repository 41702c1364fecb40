_base_ = ["../../_base_/models/unet_plus_plus.py", "../../_base_/default_runtime.py"]

optim_wrapper = dict(
    type="PrecisionOptimWrapper",
    precision="$precision",
    optimizer=dict(type="Adam", lr=3e-4),
)
param_scheduler = [dict(type="ConstantLR", factor=1.0, begin=0, end="$max_iters", by_epoch=False)]
