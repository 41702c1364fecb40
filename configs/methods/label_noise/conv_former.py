_base_ = ["../../_base_/models/conv_former.py", "../../_base_/default_runtime.py"]

optim_wrapper = dict(
    type="PrecisionOptimWrapper",
    precision="$precision",
    optimizer=dict(type="Adam", lr=1e-4, weight_decay=1e-5),
)
param_scheduler = [dict(type="ConstantLR", factor=1.0, begin=0, end="$max_iters", by_epoch=False)]
