"""How every method pre-trains: views, batches, optimiser and hooks; a method says what its loss is."""

pretraining = dict(
    default_scope="mmseg_ext",
    model=dict(max_iters="$max_iters", data_preprocessor=dict(type="UnitPreprocessor")),
    train_cfg=dict(type="IterationLoop", max_iters="$max_iters"),
    train_dataloader=dict(
        batch_size="$batch_size",
        num_workers="$num_workers",
        dataset=dict(
            type="UnlabelledSlices",
            prepared="$prepared",
            subset_file="$subset_file",
            image_size="$image_size",
            fit="$fit",
            seed="$seed",
            views=dict(type="SpatialViews"),
        ),
        sampler=dict(type="EpochSampler", seed="$seed"),
        collate_fn=dict(type="mmseg_ext.stack_views"),
    ),
    # The released commands have 0.01, the README's table 0.1.
    optim_wrapper=dict(
        type="PrecisionOptimWrapper",
        precision="$precision",
        optimizer=dict(type="SGD", lr=0.01, momentum=0.9, weight_decay=1e-5),
    ),
    param_scheduler=[
        dict(type="CosineAnnealingLR", T_max="$max_iters", eta_min=0.0, begin=0, end="$max_iters", by_epoch=False)
    ],
    default_hooks=dict(
        runtime_info=None,
        timer=None,
        sampler_seed=None,
        logger=None,
        checkpoint=None,
        param_scheduler=dict(type="ParamSchedulerHook"),
    ),
    custom_hooks=[
        dict(type="FiniteHook"),
        dict(type="CurvesHook"),
        dict(type="ResumeHook", folder="$work_dir", iterations="$measured_iters"),
        dict(type="ProgressHook", title="$title"),
    ],
    visualizer=dict(type="Visualizer", vis_backends=[dict(type="TensorboardVisBackend")]),
    randomness=dict(seed="$seed"),
    env_cfg=dict(cudnn_benchmark=False, mp_cfg=dict(mp_start_method="fork", opencv_num_threads=0)),
    log_level="WARNING",
    work_dir="$work_dir",
)
