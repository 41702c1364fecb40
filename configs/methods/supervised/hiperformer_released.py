_base_ = [
    "../../_base_/models/hiperformer.py",
    "../../_base_/schedules/adamw_periodic_cosine.py",
    "../../_base_/default_runtime.py",
]
train_cfg = dict(eval_mode_after="$epoch_iters")
train_dataloader = dict(dataset=dict(augmentation=dict(_delete_=True, type="FlipOrRotate", angle=20)))
