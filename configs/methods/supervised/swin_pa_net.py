_base_ = ["../../_base_/models/swin_pa_net.py", "../../_base_/default_runtime.py"]

# As published, but for the cosine, which the released code restarts, and for its training at three image scales.
optim_wrapper = dict(
    type="PrecisionOptimWrapper",
    precision="$precision",
    optimizer=dict(type="AdamW", lr=1e-4, weight_decay=1e-4, fused=True),
    clip_grad=dict(type="value", clip_value=0.5),
)
param_scheduler = [dict(type="CosineAnnealingLR", eta_min=0.0, begin=0, end="$max_iters", by_epoch=False)]
