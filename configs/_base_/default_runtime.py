"""How every method is trained; placeholders are explained in mmseg_ext/engine/resolve.py."""

default_scope = "mmseg_ext"
train_cfg = dict(type="IterationLoop", max_iters="$max_iters")
train_dataloader = dict(
    batch_size="$batch_size",
    num_workers="$num_workers",
    dataset=dict(
        type="PreparedSlices",
        prepared="$prepared",
        subset_file="$subset_file",
        image_size="$image_size",
        fit="$fit",
        seed="$seed",
        labels="$labels",
        unannotated="$unannotated",
        dropped_annotations="$dropped_annotations",
        augmentation=dict(
            rotation=15.0,
            scaling=0.2,
            shift=0.05,
            geometric_probability=0.5,
            horizontal_flip="$mirrored_share",
            brightness=0.1,
            contrast=0.25,
            gamma=0.25,
            noise=0.03,
            intensity_probability=0.25,
        ),
    ),
    sampler=dict(type="EpochSampler", seed="$seed"),
    collate_fn=dict(type="mmseg_ext.stack_samples"),
)
default_hooks = dict(
    runtime_info=None,
    timer=None,
    sampler_seed=None,
    logger=None,
    checkpoint=None,
    param_scheduler=dict(type="ParamSchedulerHook"),
)
custom_hooks = [
    dict(type="FiniteHook"),
    dict(type="CurvesHook"),
    dict(
        type="ValidationHook",
        iterations="$measured_iters",
        prepared="$prepared",
        subset_file="$subset_file",
        image_size="$image_size",
        fit="$fit",
        batch_size="$batch_size",
        labels="$labels",
        unannotated="$unannotated",
    ),
    dict(type="ResumeHook", folder="$work_dir", iterations="$measured_iters"),
    dict(type="ProgressHook", title="$title"),
]
visualizer = dict(type="Visualizer", vis_backends=[dict(type="TensorboardVisBackend")])
randomness = dict(seed="$seed")
env_cfg = dict(cudnn_benchmark=False, mp_cfg=dict(mp_start_method="fork", opencv_num_threads=0))
log_level = "WARNING"
work_dir = "$work_dir"
