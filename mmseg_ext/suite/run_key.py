"""Run keys: one hash of all that determines a result and is known before any job starts."""

from __future__ import annotations

from typing import Any

from mmseg_ext.suite.catalogue import Catalogue
from mmseg_ext.suite.components import PACKAGE, hash_sources, used_components
from mmseg_ext.suite.data_key import data_key
from mmseg_ext.suite.files import hash_file, hash_value
from mmseg_ext.suite.matrix import PlannedRun, as_plain
from mmseg_ext.suite.method_config import method_config
from mmseg_ext.suite.paths import Paths
from mmseg_ext.suite.stages import needs_of
from mmseg_ext.suite.stages.pretraining import pretraining_parts
from mmseg_ext.suite.task import Task
from mmseg_ext.suite.track import Condition

FORMAT_VERSION = 1
"""Version of what a run folder holds; raised when an older folder can no longer be read."""


def condition_recipe(condition: Condition, task: Task, catalogue: Catalogue) -> dict[str, Any]:
    """Return what determines the cases of a condition, besides the data and the seed."""
    chosen = {key: value for key, value in as_plain(condition).items() if key not in ("title", "label_list")}
    lists = {name: hash_file(path) for name, path in catalogue.label_lists(condition, task).items()}
    return {**chosen, "label_lists": lists} if lists else chosen


def condition_key(condition: Condition, task: Task, catalogue: Catalogue) -> str:
    """Return the hash that names one choice of cases."""
    return hash_value(condition_recipe(condition, task, catalogue))[:16]


def run_key(planned: PlannedRun, catalogue: Catalogue) -> str:
    """Return the hash that names a run's working directory.

    It covers the resolved method config, the schedule, the task, the condition, the seed, the recipe of
    every data set (card, converter, split) and of every earlier stage's result the run starts from, and the source of
    the engine and of the components the config names.
    """
    run = planned.id
    config = method_config(catalogue.method_config(run.track, run.method))
    task = catalogue.task(run.task, "run", "task")
    condition = catalogue.track(run.track, "run", "track").conditions[run.condition]
    sources = [PACKAGE / "engine" / "train.py", *(component.file for component in used_components(config))]
    datasets = {name: data_key(catalogue.dataset(name, "run", "task"), catalogue) for name in task.datasets}
    parts = {
        "format": FORMAT_VERSION,
        "config": config,
        "schedule": planned.schedule.computed,
        "task": {key: value for key, value in as_plain(task).items() if key not in ("title", "nsd_tolerance")},
        "condition": condition_recipe(condition, task, catalogue),
        "seed": run.seed,
        "data": datasets,
        "needs": [need.parts for need in needs_of(planned, catalogue, Paths())],
        "code": hash_sources(sources),
        **pretraining_parts(planned, config, catalogue),
    }
    return hash_value(parts)[:16]
