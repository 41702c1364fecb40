_base_ = ["../../_base_/models/ege_unet.py", "../../_base_/default_runtime.py"]

optim_wrapper = dict(
    type="PrecisionOptimWrapper",
    precision="$precision",
    optimizer=dict(type="AdamW", lr=1e-3, weight_decay=1e-2, fused=True),
)
param_scheduler = [dict(type="CosineAnnealingLR", eta_min=1e-5, begin=0, end="$max_iters", by_epoch=False)]
