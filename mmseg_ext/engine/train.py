"""Training of one run, from prepared data to its run folder."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import torch
from mmengine.runner import Runner

from mmseg_ext.engine.export import Selected, Trained, export
from mmseg_ext.engine.hooks.curves import CurvesHook
from mmseg_ext.engine.hooks.finite import NonFiniteError
from mmseg_ext.engine.hooks.progress import ProgressHook
from mmseg_ext.engine.hooks.resume import ResumeHook
from mmseg_ext.engine.hooks.stateful import hook_of
from mmseg_ext.engine.hooks.validation import SelectionHook
from mmseg_ext.engine.job import Job, make_job
from mmseg_ext.engine.reproducible import make_reproducible
from mmseg_ext.engine.work_dir import clear_failure, open_work, record_failure, require_room
from mmseg_ext.suite.catalogue import Catalogue
from mmseg_ext.suite.matrix import PlannedRun
from mmseg_ext.suite.paths import Paths


def train_run(
    planned: PlannedRun,
    key: str,
    catalogue: Catalogue,
    paths: Paths,
    subset: Path,
    variants: Sequence[str],
    threads: int,
) -> None:
    """Train a run, or continue it, predict its test cases, and write its run folder.

    A killed run continues from its last checkpoint and gives the same predictions as one never killed. Checkpoints
    made for another key, other data or another subset are discarded. A finished one only exports again.

    Args:
        planned: The run and its schedule.
        key: Its run key.
        catalogue: Where task, data sets and method are looked up.
        paths: Where the prepared data lie, checkpoints and logs go (`failure.json` too, if this attempt fails), and
            the run folder is written.
        subset: Table of the cases to train, validate and test on.
        variants: What to predict: names `selection_inference`, as `Protocol.variant` gives them.
        threads: CPU threads.

    Raises:
        InputError: For bad input, before training.
        NonFiniteError: If the loss or a weight is no longer a finite number.
    """
    stage, trainer, work = "setup", None, paths.work(key)
    try:
        make_reproducible(threads)
        job = make_job(planned, key, catalogue, paths, subset, variants, threads)
        open_work(work, job.identity)
        trainer = make_runner(job)
        require_room(work, trainer.model, job.selections)
        stage = "train"
        trained = _train(job, trainer)
        stage = "export"
        export(job, trained, paths.run(planned.id))
    except Exception as error:
        record_failure(work, stage, error, _iteration(error, trainer))
        raise
    clear_failure(work)


def make_runner(job: Job) -> Runner:
    """Build the MMEngine runner of a job; its name is unique, because MMEngine keeps one logger for each name."""
    config = job.config.copy()
    config.experiment_name = f"{job.key}_{time.monotonic_ns()}"
    runner = Runner.from_cfg(config)
    runner.model.to(memory_format=torch.channels_last)
    return runner


def _train(job: Job, runner: Runner) -> Trained:
    try:
        runner.train()
    finally:
        hook_of(runner, ProgressHook).close()
        runner.visualizer.close()
    weights = {name: tensor.detach().cpu().clone() for name, tensor in runner.model.state_dict().items()}
    selected = {"last": Selected(weights, job.facts.max_iters)}
    for hook in runner.hooks:
        if isinstance(hook, SelectionHook) and hook.best is not None:
            selected[f"best_{hook.subset}"] = Selected(hook.best["weights"], hook.best["iteration"])
    seconds = hook_of(runner, ResumeHook).train_seconds
    return Trained(runner.model, selected, hook_of(runner, CurvesHook), seconds, runner.train_loop.paradigm)


def _iteration(error: Exception, runner: Runner | None) -> int | None:
    if isinstance(error, NonFiniteError):
        return error.iteration
    return None if runner is None else runner.iter
