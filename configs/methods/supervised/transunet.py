_base_ = [
    "../../_base_/models/transunet.py",
    "../../_base_/schedules/sgd_poly.py",
    "../../_base_/default_runtime.py",
]
