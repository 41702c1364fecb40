"""Pre-trained encoders, as a run starts from them."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

from mmseg_ext.suite.catalogue import Catalogue
from mmseg_ext.suite.components import PACKAGE, hash_sources, used_components
from mmseg_ext.suite.data_key import data_key
from mmseg_ext.suite.dataset_card import Subset
from mmseg_ext.suite.errors import InputError
from mmseg_ext.suite.matrix import PlannedRun, as_plain
from mmseg_ext.suite.method_config import method_config
from mmseg_ext.suite.need import Need
from mmseg_ext.suite.paths import Paths
from mmseg_ext.suite.pretrain_settings import PretrainSettings
from mmseg_ext.suite.stages.superpixels import maps_need
from mmseg_ext.suite.suite_config import Pretraining
from mmseg_ext.suite.superpixel_recipe import read_recipe, suited
from mmseg_ext.suite.task import Task, TaskPart

SAME_BUDGET = "adds_pretraining_iterations"
"""Key of a method's config that lengthens its training by the optimiser steps of the suite's pre-training."""


def needs(planned: PlannedRun, catalogue: Catalogue, paths: Paths) -> list[Need]:
    """Return the encoder a run starts from if its method's config has a section `pretraining`.

    `$pretrained` is then the folder that holds `encoder.pth`.

    Raises:
        InputError: If the suite does not say what to pre-train on, or names a data set that the task tests on.
    """
    run = planned.id
    file = catalogue.method_config(run.track, run.method)
    if "pretraining" not in method_config(file):
        return []
    asked = planned.pretraining
    if asked is None:
        where = f"method {run.method} of track {run.track}"
        raise InputError(
            where, "pretraining", None, "in the suite, `pretraining` of the track: a source and a schedule"
        )
    settings = PretrainSettings(
        track=run.track,
        method=run.method,
        source=asked.source or run.task,
        parts=source_parts(asked.source, catalogue.task(run.task, "run", "task"), catalogue),
        schedule=asked.schedule,
        seed=run.seed,
    )
    return [pretraining_need(settings, catalogue, paths)]


def concerned(planned: PlannedRun, catalogue: Catalogue) -> Pretraining | None:
    """Return the suite's pre-training if it makes a difference to a run: its start, its length or its first layer."""
    asked = planned.pretraining
    config = method_config(catalogue.method_config(planned.id.track, planned.id.method))
    if asked is not None and ("pretraining" in config or config.get(SAME_BUDGET) or asked.source is not None):
        return asked
    return None


def encoder_channels(planned: PlannedRun, catalogue: Catalogue) -> int | None:
    """Return the channels of the images that encoders are pre-trained on; None where they are those of the task.

    A run that starts from random weights beside pre-trained ones has the same first layer.
    """
    if planned.pretraining is None or planned.pretraining.source is None:
        return None
    return len(catalogue.dataset(planned.pretraining.source, "suite", "pretraining.source").channels)


def pretraining_parts(planned: PlannedRun, config: dict[str, Any], catalogue: Catalogue) -> dict[str, Any]:
    """Return what a run key covers of the suite's pre-training even where a run does not start from it."""
    parts: dict[str, Any] = {}
    channels = encoder_channels(planned, catalogue)
    if channels is not None:
        parts["encoder_channels"] = channels
    if config.get(SAME_BUDGET) and planned.pretraining is not None:
        parts["extra_schedule"] = planned.pretraining.schedule.computed
    return parts


def source_parts(source: str | None, task: Task, catalogue: Catalogue) -> list[TaskPart]:
    """Return whose images are used.

    Args:
        source: A data set, of which all patients are used; None: the training and validation patients of the task.
        task: What is fine-tuned afterwards.
        catalogue: Where the source is looked up.

    Raises:
        InputError: If the source is a data set of the task.
    """
    if source is None:
        return [*task.train, *task.val]
    catalogue.dataset(source, "suite", "pretraining.source")
    if source in task.datasets:
        expected = f"another data set than those of task {task.task}, or null for its own training patients"
        raise InputError("suite", "pretraining.source", source, expected)
    return [TaskPart(dataset=source, subset=subset) for subset in get_args(Subset)]


def pretraining_need(settings: PretrainSettings, catalogue: Catalogue, paths: Paths) -> Need:
    """Return the need of one pre-trained encoder.

    Raises:
        InputError: If the method has no section `pretraining`, or its superpixel recipe is not valid.
    """
    file = catalogue.method_config(settings.track, settings.method)
    config = method_config(file)
    if "pretraining" not in config:
        raise InputError(file, "pretraining", None, "a section that says how to pre-train")
    section = {"pretraining": config["pretraining"], "backbone": {**config["model"]["backbone"], "init_cfg": None}}
    computed = {**as_plain(settings), "schedule": settings.schedule.computed}
    sources = [PACKAGE / "engine" / "pretrain.py", *(component.file for component in used_components(section))]
    recipe = {
        "settings": computed,
        "config": section,
        "data": {name: data_key(catalogue.dataset(name, file, "source"), catalogue) for name in settings.datasets},
        "code": hash_sources(sources),
    }
    return Need(
        name="pretrained",
        stage="pretrain",
        folder=paths.pretrained(settings.source, settings.method, settings.seed),
        recipe=recipe,
        datasets=settings.datasets,
        resources=settings.schedule.resources,
        needs=tuple(_maps(settings, section, catalogue, paths, file)),
    )


def _maps(
    settings: PretrainSettings, section: dict[str, Any], catalogue: Catalogue, paths: Paths, file: Path
) -> list[Need]:
    """Return the superpixel maps that a method wants made beforehand."""
    asked = section["pretraining"].get("superpixels")
    if asked is None:
        return []
    recipe = read_recipe(asked, str(file))
    return [
        maps_need(name, suited(recipe, len(catalogue.dataset(name, file, "source").channels)), paths)
        for name in settings.datasets
    ]
