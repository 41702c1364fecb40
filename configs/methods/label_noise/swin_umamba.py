_base_ = ["../../_base_/models/swin_umamba.py", "../../_base_/default_runtime.py"]

optim_wrapper = dict(
    type="PrecisionOptimWrapper",
    precision="$precision",
    optimizer=dict(type="AdamW", lr=1e-4, weight_decay=5e-2, eps=1e-5, fused=True),
)
param_scheduler = [dict(type="CosineAnnealingLR", eta_min=1e-6, begin=0, end="$max_iters", by_epoch=False)]
