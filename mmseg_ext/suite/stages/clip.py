"""The CLIP of a run's condition, and the regions it finds in training images."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mmseg_ext.suite.catalogue import Catalogue
from mmseg_ext.suite.clip_card import ClipCard, RegionSetting, TrainedClip
from mmseg_ext.suite.components import PACKAGE, hash_sources
from mmseg_ext.suite.errors import InputError
from mmseg_ext.suite.files import hash_value
from mmseg_ext.suite.loading import parse
from mmseg_ext.suite.matrix import PlannedRun, as_plain
from mmseg_ext.suite.method_config import method_config
from mmseg_ext.suite.need import Need
from mmseg_ext.suite.paths import Paths
from mmseg_ext.suite.task import Task


def needs(planned: PlannedRun, catalogue: Catalogue, paths: Paths) -> list[Need]:
    """Return the CLIP if the method's config has `$clip`, and the regions of the training sets if it has `$regions`.

    A method's config may replace fields of the card's region setting under `regions`.

    Raises:
        InputError: If the condition names no CLIP, or a region setting is not valid.
    """
    run = planned.id
    file = catalogue.method_config(run.track, run.method)
    config = method_config(file)
    used = set(_placeholders(config))
    if not used & {"$clip", "$regions"}:
        return []
    track = catalogue.track(run.track, "run", "track")
    name = track.conditions[run.condition].clip
    if name is None:
        known = [key for key, condition in track.conditions.items() if condition.clip]
        asking = catalogue.root / "tracks" / f"{run.track}.yaml"
        expected = f"a condition with a CLIP for method {run.method}: one of {', '.join(known) or 'none'}"
        raise InputError(asking, f"conditions.{run.condition}.clip", "nothing", expected)
    task = catalogue.task(run.task, "run", "task")
    card = catalogue.clip(name, catalogue.root / "tracks" / f"{run.track}.yaml", f"conditions.{run.condition}.clip")
    model = clip_need(card, task, paths)
    found = [model]
    if "$regions" in used:
        setting = region_setting(card, config.get("regions", {}), file)
        datasets = dict.fromkeys(part.dataset for part in task.train)
        found += [regions_need(model, card, task, setting, dataset, paths) for dataset in datasets]
    return found


def clip_need(card: ClipCard, task: Task, paths: Paths) -> Need:
    """Return the need of a CLIP with embeddings of a task's class names."""
    weights = card.weights
    trained = isinstance(weights, TrainedClip)
    stage = "pretrain_clip" if trained else "import_clip"
    recipe: dict[str, Any] = {
        "weights": as_plain(weights),
        "templates": task.templates or card.templates,
        "classes": task.classes,
        "code": hash_sources([PACKAGE / "zero_shot" / f"{stage}.py"])[:16],
    }
    if trained:
        recipe["unseen"] = task.unseen
    return Need("clip", stage, paths.clip(card.clip, task.task, trained), recipe)


def regions_need(model: Need, card: ClipCard, task: Task, setting: RegionSetting, dataset: str, paths: Paths) -> Need:
    """Return the need of the regions of a data set."""
    plain = as_plain(setting)
    folder = paths.regions(card.clip, task.task, hash_value(plain)[:8], dataset)
    subsets = sorted(part.subset for part in task.train if part.dataset == dataset)
    recipe = {"setting": plain, "subsets": subsets, "code": hash_sources([PACKAGE / "zero_shot" / "regions.py"])[:16]}
    return Need("regions", "regions", folder, recipe, dataset=dataset, datasets=(dataset,), needs=(model,))


def region_setting(card: ClipCard, changes: Any, file: Path) -> RegionSetting:
    """Return a card's region setting with fields replaced.

    Raises:
        InputError: If the result is not valid.
    """
    if not isinstance(changes, dict):
        raise InputError(file, "regions", changes, "fields of a region setting")
    return parse(RegionSetting, {**as_plain(card.regions), **changes}, file)


def _placeholders(value: Any) -> list[str]:
    """Return every string of a config that begins like a placeholder, up to its name's end."""
    if isinstance(value, dict):
        return [name for item in value.values() for name in _placeholders(item)]
    if isinstance(value, list | tuple):
        return [name for item in value for name in _placeholders(item)]
    return [value.split("/")[0].split()[0]] if isinstance(value, str) and value.startswith("$") else []
