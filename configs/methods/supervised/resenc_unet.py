_base_ = [
    "../../_base_/models/residual_encoder_unet.py",
    "../../_base_/schedules/sgd_poly.py",
    "../../_base_/default_runtime.py",
]
optim_wrapper = dict(
    optimizer=dict(momentum=0.99, nesterov=True, weight_decay=3e-5),
    clip_grad=dict(max_norm=12),
)
