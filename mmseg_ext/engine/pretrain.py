"""Pre-training of one encoder, from prepared data to its result folder."""

from __future__ import annotations

import copy
import hashlib
import time
from collections.abc import Mapping
from pathlib import Path

import torch
from mmengine.runner import Runner
from torch import Tensor, nn

from mmseg_ext.engine.cost import hardware, peak_memory_mb
from mmseg_ext.engine.feature_probe import write_probe
from mmseg_ext.engine.fit import fit_to
from mmseg_ext.engine.hooks.curves import CurvesHook
from mmseg_ext.engine.hooks.finite import NonFiniteError
from mmseg_ext.engine.hooks.progress import ProgressHook
from mmseg_ext.engine.hooks.resume import ResumeHook
from mmseg_ext.engine.hooks.stateful import hook_of
from mmseg_ext.engine.pretrain_job import PretrainJob, make_pretrain_job
from mmseg_ext.engine.reproducible import make_reproducible
from mmseg_ext.engine.work_dir import clear_failure, open_work, record_failure, require_room
from mmseg_ext.suite.catalogue import Catalogue
from mmseg_ext.suite.errors import InputError
from mmseg_ext.suite.files import replacing, write_json, write_text
from mmseg_ext.suite.need import Need
from mmseg_ext.suite.paths import Paths
from mmseg_ext.suite.pretrain_settings import PretrainSettings
from mmseg_ext.suite.run_key import FORMAT_VERSION


def pretrain(settings: PretrainSettings, need: Need, catalogue: Catalogue, paths: Paths, threads: int) -> None:
    """Pre-train an encoder, or continue, and write its folder; a killed one ends like one never killed.

    Args:
        settings: Method, images, schedule and seed.
        need: As `pretraining_need` gives it for these settings.
        catalogue: Where method and data sets are looked up.
        paths: Where the prepared data lie, checkpoints and logs go (`failure.json` too, if this attempt fails), and
            the result is written.
        threads: CPU threads.

    Raises:
        InputError: For bad input, before training.
        NonFiniteError: If the loss or a weight is no longer a finite number.
    """
    stage, runner, work = "setup", None, paths.work(need.key)
    try:
        make_reproducible(threads)
        job = make_pretrain_job(settings, need, catalogue, paths, threads)
        open_work(work, job.identity)
        write_text(job.facts.subset_file, job.cases.to_csv(index=False))
        runner = _make_runner(job)
        check_sizes(job, runner.model.encoder.stride)
        require_room(work, runner.model)
        # Before the checkpoint of an earlier attempt is loaded.
        start = copy.deepcopy(runner.model.encoder)
        stage = "train"
        try:
            runner.train()
        finally:
            hook_of(runner, ProgressHook).close()
            runner.visualizer.close()
        stage = "export"
        _export(job, runner, start, need.folder)
    except Exception as error:
        iteration = error.iteration if isinstance(error, NonFiniteError) else None if runner is None else runner.iter
        record_failure(work, stage, error, iteration)
        raise
    clear_failure(work)


def check_sizes(job: PretrainJob, stride: int) -> None:
    """Check that images and input fit the grid of the encoder's bottom.

    Raises:
        InputError: If the input is no multiple of a cell or has fewer than two along a side, or an image is smaller
            than a cell once it lies in the input.
    """
    size = job.facts.image_size
    if any(side % stride or side < 2 * stride for side in size):
        expected = f"multiples of {stride}, at least {2 * stride}: two cells of the encoder's bottom"
        raise InputError(f"pre-training {job.settings}", "schedule.image_size", size, expected)
    for data in job.prepared.values():
        for row in data.samples.drop_duplicates(["height", "width"]).itertuples(index=False):
            inside = fit_to((row.height, row.width), size, job.facts.fit).scaled
            if min(inside) < stride:
                expected = f"at least {stride} x {stride} pixels of the input, one cell of the encoder's bottom"
                raise InputError(data.root / "samples.csv", f"size of {row.sample}", inside, expected)


def _make_runner(job: PretrainJob) -> Runner:
    config = job.config.copy()
    config.experiment_name = f"{job.need.key}_{time.monotonic_ns()}"
    runner = Runner.from_cfg(config)
    runner.model.to(memory_format=torch.channels_last)
    return runner


def _export(job: PretrainJob, runner: Runner, start: nn.Module, out: Path) -> None:
    model = runner.model
    weights = {name: tensor.detach().cpu().contiguous() for name, tensor in model.encoder.state_dict().items()}
    seconds = hook_of(runner, ResumeHook).train_seconds
    with replacing(out) as folder:
        folder.mkdir()
        job.config.dump(folder / "config.py")
        hook_of(runner, CurvesHook).write(folder / "curves.csv")
        torch.save(weights, folder / "encoder.pth")
        cost = {
            "parameters_encoder": _parameters(model.encoder),
            "parameters_total": _parameters(model),
            "train_wall_s": seconds,
            "train_images_per_s": job.facts.max_iters * job.facts.batch_size / seconds,
            "views": model.views,
            "peak_memory_mb": peak_memory_mb(),
            "hardware": hardware(),
        }
        write_json(folder / "cost.json", cost)
        encoders = {"before": start, "after": model.encoder}
        facts = job.facts
        write_probe(folder, encoders, model.data_preprocessor, list(job.prepared.values()), facts.image_size, facts.fit)
        record = {
            "format": FORMAT_VERSION,
            "key": job.need.key,
            "settings": job.need.recipe["settings"],
            "data": job.identity["data"],
            "patients": len(job.cases[["dataset", "patient"]].drop_duplicates()),
            "cases": len(job.cases),
            "iterations": job.facts.max_iters,
            "encoder_sha256": _hash(weights),
        }
        write_json(folder / "record.json", record)


def _parameters(module: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def _hash(weights: Mapping[str, Tensor]) -> str:
    digest = hashlib.sha256()
    for name, tensor in sorted(weights.items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.numpy().tobytes())
    return digest.hexdigest()
