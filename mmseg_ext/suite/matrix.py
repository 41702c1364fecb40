"""The run matrix: a suite expanded into runs, every name checked before anything starts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmseg_ext.suite.catalogue import Catalogue
from mmseg_ext.suite.errors import InputError, unknown_name
from mmseg_ext.suite.suite_config import Pretraining, Schedule, Suite, TrackRuns


@dataclass(frozen=True, order=True)
class RunId:
    """One cell of the matrix."""

    track: str
    task: str
    method: str
    condition: str
    seed: int

    def __str__(self) -> str:
        return f"{self.track}/{self.task}/{self.method}/{self.condition}/seed_{self.seed}"

    @classmethod
    def parse(cls, text: str) -> RunId:
        """Read what `str` writes.

        Raises:
            ValueError: If the text is not `track/task/method/condition/seed_N`.
        """
        parts = text.strip("/").split("/")
        if len(parts) != 5 or not parts[4].removeprefix("seed_").isdigit():
            raise ValueError(f"found {text!r}, expected track/task/method/condition/seed_N")
        track, task, method, condition, seed = parts
        return cls(track, task, method, condition, int(seed.removeprefix("seed_")))


@dataclass(frozen=True)
class PlannedRun:
    """A run and the schedule it is trained with."""

    id: RunId
    schedule: Schedule
    pretraining: Pretraining | None = None
    """What an encoder is pre-trained on first, if the method starts from one."""


def expand(suite: Suite, catalogue: Catalogue, file: Path | str) -> list[PlannedRun]:
    """Return the runs of a suite, sorted.

    Args:
        suite: The suite.
        catalogue: Where names are looked up.
        file: The suite's file, for error messages.

    Raises:
        InputError: For an unknown track, task, method, condition or protocol, or if all protocols are those of papers.
    """
    protocols = [catalogue.protocol(name, file, f"protocols.{index}") for index, name in enumerate(suite.protocols)]
    if all(protocol.paper for protocol in protocols):
        expected = "also one of ours (without `paper`), on which controls and rankings rest"
        raise InputError(file, "protocols", suite.protocols, expected)
    planned: dict[RunId, PlannedRun] = {}
    for track_name, runs in suite.tracks.items():
        where = f"tracks.{track_name}"
        track = catalogue.track(track_name, file, where)
        for index, condition in enumerate(runs.conditions):
            if condition not in track.conditions:
                known = track.conditions
                raise unknown_name(
                    file, f"{where}.conditions.{index}", condition, f"a condition of {track_name!r}", known
                )
        cells = _cells(runs, where)
        for (task, method), (task_field, method_field) in cells.items():
            catalogue.task(task, file, task_field)
            catalogue.method(track_name, method, file, method_field)
        _check_condition_methods(runs, {method for _, method in cells}, file, where)
        tasks = {task for task, _ in cells}
        for field in ("schedules", "pretrainings"):
            for task in getattr(runs, field):
                if task not in tasks:
                    raise unknown_name(file, f"{where}.{field}.{task}", task, "a task of this suite", tasks)
        for task, method in cells:
            schedule = runs.schedules.get(task, runs.schedule)
            pretraining = runs.pretrainings.get(task, runs.pretraining)
            for condition in runs.conditions:
                if method not in runs.condition_methods.get(condition, [method]):
                    continue
                for seed in suite.seeds:
                    run = RunId(track_name, task, method, condition, seed)
                    planned[run] = PlannedRun(run, schedule, pretraining)
    return [planned[run] for run in sorted(planned)]


def _check_condition_methods(runs: TrackRuns, methods: set[str], file: Path | str, where: str) -> None:
    for condition, chosen in runs.condition_methods.items():
        field = f"{where}.condition_methods.{condition}"
        if condition not in runs.conditions:
            raise unknown_name(file, field, condition, "a condition of this suite", runs.conditions)
        for index, method in enumerate(chosen):
            if method not in methods:
                raise unknown_name(file, f"{field}.{index}", method, "a method of this suite", methods)


def _cells(runs: TrackRuns, where: str) -> dict[tuple[str, str], tuple[str, str]]:
    """Return every (task, method) with the fields that name them."""
    cells = {
        (task, method): (f"{where}.tasks.{i}", f"{where}.methods.{j}")
        for i, task in enumerate(runs.tasks)
        for j, method in enumerate(runs.methods)
    }
    for index, pair in enumerate(runs.pairs):
        fields = (f"{where}.pairs.{index}.task", f"{where}.pairs.{index}.method")
        cells.setdefault((pair.task, pair.method), fields)
    return cells


def as_plain(value: Any) -> Any:
    """Return a model as plain JSON-able data."""
    return value.model_dump(mode="json")
