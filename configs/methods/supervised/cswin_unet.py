_base_ = [
    "../../_base_/models/cswin_unet.py",
    "../../_base_/schedules/sgd_poly.py",
    "../../_base_/default_runtime.py",
]
optim_wrapper = dict(optimizer=dict(lr=0.05))
