_base_ = ["../../_base_/models/lan_guide_med_seg.py", "../../_base_/default_runtime.py"]

optim_wrapper = dict(
    type="PrecisionOptimWrapper",
    precision="$precision",
    optimizer=dict(type="AdamW", lr=3e-4, fused=True),
)
param_scheduler = [dict(type="CosineAnnealingLR", eta_min=1e-6, begin=0, end="$max_iters", by_epoch=False)]

# Every training image comes with its text.
train_dataloader = dict(dataset=dict(text=True))
