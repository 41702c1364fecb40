_base_ = ["../../_base_/models/emcad.py", "../../_base_/default_runtime.py"]

optim_wrapper = dict(
    type="PrecisionOptimWrapper",
    precision="$precision",
    optimizer=dict(type="AdamW", lr=1e-4, weight_decay=1e-4, fused=True),
)
param_scheduler = [dict(type="ConstantLR", factor=1.0, begin=0, end="$max_iters", by_epoch=False)]
