_base_ = ["../../_base_/models/transfuse.py", "../../_base_/default_runtime.py"]

optim_wrapper = dict(
    type="PrecisionOptimWrapper",
    precision="$precision",
    optimizer=dict(type="Adam", lr=7e-5, betas=(0.5, 0.999)),
    clip_grad=dict(max_norm=2.0),
)
param_scheduler = [dict(type="ConstantLR", factor=1.0, begin=0, end="$max_iters", by_epoch=False)]
