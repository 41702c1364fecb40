"""Run keys: one hash of all that determines a result and is known before any job starts."""

from __future__ import annotations

from typing import Any

from mmseg_ext.suite.catalogue import Catalogue
from mmseg_ext.suite.components import PACKAGE, hash_sources, used_components
from mmseg_ext.suite.dataset_card import DatasetCard
from mmseg_ext.suite.files import hash_file, hash_value
from mmseg_ext.suite.matrix import PlannedRun, as_plain
from mmseg_ext.suite.method_config import method_config
from mmseg_ext.suite.paths import Paths
from mmseg_ext.suite.stages import needs_of
from mmseg_ext.suite.task import Task
from mmseg_ext.suite.track import Condition

FORMAT_VERSION = 1
"""Version of what a run folder holds; raised when an older folder can no longer be read."""

# What a card says about these does not change a pixel.
_DESCRIPTIVE = {
    "title",
    "description",
    "homepage",
    "citation",
    "licence",
    "modality",
    "nsd_tolerance",
    "counts",
    "real_cases_converted",
    "source",
}


def source_recipe(card: DatasetCard) -> dict[str, Any]:
    """Return what determines the raw form of a data set, as far as it is known beforehand."""
    source: dict[str, Any] = as_plain(card)["source"]
    match source["access"]:
        case "generated":
            return {**source, "code": hash_sources([PACKAGE / "data" / "phantoms" / f"{source['generator']}.py"])}
        case "open":
            # Where a file comes from does not matter, what is in it does.
            files = [{key: file[key] for key in ("filename", "sha256", "md5")} for file in source["files"]]
            return {"files": files, **_given(source, "inner_archives")}
        case access:
            return {"access": access, **_given(source, "sha256", "inner_archives")}


def _given(source: dict[str, Any], *keys: str) -> dict[str, Any]:
    """Return the fields that a card gives."""
    return {key: source[key] for key in keys if source.get(key)}


def data_recipe(card: DatasetCard, catalogue: Catalogue) -> dict[str, Any]:
    """Return what determines a prepared data set, as far as it is known beforehand."""
    split = catalogue.split_file(card)
    described = {key: value for key, value in as_plain(card).items() if key not in _DESCRIPTIVE}
    return {
        **described,
        "source": source_recipe(card),
        "split_rows": hash_file(split) if split else None,
        "converter_code": hash_sources([PACKAGE / "data" / "prepare.py"]),
    }


def source_key(card: DatasetCard) -> str:
    """Return the hash that names one raw form of a data set."""
    return hash_value(source_recipe(card))[:16]


def data_key(card: DatasetCard, catalogue: Catalogue) -> str:
    """Return the hash that names one way of preparing a data set."""
    return hash_value(data_recipe(card, catalogue))[:16]


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
    schedule = as_plain(planned.schedule)
    # Resources say where a job fits, not what it computes.
    for resource in ("threads", "memory_mb", "runtime_minutes"):
        del schedule[resource]
    datasets = {name: data_key(catalogue.dataset(name, "run", "task"), catalogue) for name in task.datasets}
    parts = {
        "format": FORMAT_VERSION,
        "config": config,
        "schedule": schedule,
        "task": {key: value for key, value in as_plain(task).items() if key not in ("title", "nsd_tolerance")},
        "condition": condition_recipe(condition, task, catalogue),
        "seed": run.seed,
        "data": datasets,
        "needs": [need.parts for need in needs_of(planned, catalogue, Paths())],
        "code": hash_sources(sources),
    }
    return hash_value(parts)[:16]
