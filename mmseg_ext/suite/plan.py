"""The plan: a suite with every name resolved, as later stages and the page read it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mmseg_ext.suite.catalogue import Catalogue
from mmseg_ext.suite.errors import InputError
from mmseg_ext.suite.loading import StrictModel, parse
from mmseg_ext.suite.matrix import PlannedRun, RunId, as_plain, expand
from mmseg_ext.suite.need import Need, all_needs, folders
from mmseg_ext.suite.paths import Paths
from mmseg_ext.suite.run_key import run_key
from mmseg_ext.suite.stages import needs_of
from mmseg_ext.suite.suite_config import Suite


class Settings(StrictModel):
    """What `--config` may set beside a suite: where things lie on this machine."""

    mirror: Path | None = None
    """Folder that is searched for archives, by file name, before the network."""
    local_data: Path | None = None
    """Folder that holds unpacked data sets, each under its name."""
    data: Path = Path("data")
    results: Path = Path("results")

    @property
    def paths(self) -> Paths:
        """The layout below these folders."""
        return Paths(self.data, self.results)


def read_suite(config: dict[str, Any], file: Path | str) -> tuple[Suite, Settings]:
    """Read a suite and the machine's settings from one mapping.

    Args:
        config: Content of a suite file, with overrides and settings merged in.
        file: Where it came from, for error messages.

    Raises:
        InputError: For an unknown key or an impossible value.
    """
    settings = {key: value for key, value in config.items() if key in Settings.model_fields}
    suite = {key: value for key, value in config.items() if key not in Settings.model_fields}
    return parse(Suite, suite, file), parse(Settings, settings, "--config")


class Plan:
    """A suite expanded against a catalogue: runs, their keys and folders.

    Args:
        suite: The suite.
        catalogue: Where names are looked up.
        paths: Where results go.
        file: The suite's file, for error messages.

    Raises:
        InputError: For any name that does not exist or value that cannot be.
    """

    def __init__(self, suite: Suite, catalogue: Catalogue, paths: Paths, file: Path | str) -> None:
        self.suite = suite
        self.catalogue = catalogue
        self.paths = paths
        self.runs: dict[RunId, PlannedRun] = {planned.id: planned for planned in expand(suite, catalogue, file)}
        self.keys: dict[RunId, str] = {run: run_key(planned, catalogue) for run, planned in self.runs.items()}
        self.needs: dict[RunId, list[Need]] = {
            run: needs_of(planned, catalogue, paths) for run, planned in self.runs.items()
        }
        self.stage_results = _by_folder(self.needs, file)
        """Every earlier stage's result that some run needs, directly or not, by its folder."""
        self.tasks = {run.task: catalogue.task(run.task, file, "tasks") for run in self.runs}

    @property
    def datasets(self) -> list[str]:
        """Names of all data sets that tasks and earlier stages use, sorted."""
        used = {name for task in self.tasks.values() for name in task.datasets}
        return sorted(used.union(*(need.datasets for need in self.stage_results.values())))

    @property
    def noise_runs(self) -> list[RunId]:
        """Runs of tracks about label noise."""
        return [run for run in self.runs if self.catalogue.track(run.track, "plan", "track").has_label_noise]

    def noisy_labels(self, run: RunId) -> dict[str, str]:
        """Return the folder of the labels that stand in for the true ones, by data set."""
        found: dict[str, str] = folders(self.needs[run]).get("labels", {})
        return found

    def as_plain(self) -> dict[str, Any]:
        """Return the plan as JSON-able data."""
        return {
            "suite": as_plain(self.suite),
            "protocols": {name: self._plain("protocol", name) for name in self.suite.protocols},
            "tracks": {name: self._plain("track", name) for name in sorted({run.track for run in self.runs})},
            "methods": {
                f"{track}/{method}": as_plain(self.catalogue.method(track, method, "plan", "method"))
                for track, method in sorted({(run.track, run.method) for run in self.runs})
            },
            "tasks": {name: self._task(name) for name in sorted(self.tasks)},
            "runs": [self._run(run) for run in self.runs],
            "regions": self._regions(),
            "controls": {name: str(self.paths.controls(name)) for name in sorted(self.tasks)},
            "superpixels": self._superpixels(),
            "pretrained": self._pretrained(),
        }

    def _plain(self, kind: str, name: str) -> dict[str, Any]:
        plain: dict[str, Any] = as_plain(getattr(self.catalogue, kind)(name, "plan", kind))
        return plain

    def _task(self, name: str) -> dict[str, Any]:
        task = self.tasks[name]
        cards = {dataset: self.catalogue.dataset(dataset, "plan", "dataset") for dataset in task.datasets}
        return {
            "title": task.title,
            "classes": task.classes,
            "unseen": task.unseen,
            "ignored": task.ignored,
            "unit": next(iter(cards.values())).unit,
            "nsd_tolerance": task.nsd_tolerance,
            "quality": str(self.paths.task_checks(name) / "quality.json") if len(cards) > 1 else None,
            "datasets": {
                dataset: {
                    "title": card.title,
                    "modality": card.modality,
                    "licence": card.licence.name,
                    "access": card.source.access,
                    "homepage": card.homepage,
                    "citation": card.citation,
                    "prepared": str(self.paths.prepared(dataset)),
                    "quality": str(self.paths.checks(dataset) / "quality.json"),
                }
                for dataset, card in cards.items()
            },
        }

    def _regions(self) -> dict[str, dict[str, str]]:
        found: dict[str, dict[str, str]] = {}
        for run, needs in self.needs.items():
            for need in needs:
                if need.name == "regions" and need.dataset is not None:
                    found.setdefault(run.task, {}).setdefault(need.dataset, str(need.folder))
        return found

    def _superpixels(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for folder, need in sorted(self.stage_results.items()):
            if need.stage == "superpixels" and need.dataset is not None:
                found.setdefault(need.dataset, []).append(folder)
        return found

    def _pretrained(self) -> list[dict[str, Any]]:
        named = ("track", "source", "method", "seed")
        made = [need for _, need in sorted(self.stage_results.items()) if need.stage == "pretrain"]
        return [
            {**{name: need.recipe["settings"][name] for name in named}, "folder": str(need.folder)} for need in made
        ]

    def _run(self, run: RunId) -> dict[str, Any]:
        key = self.keys[run]
        return {
            "run": str(run),
            "track": run.track,
            "task": run.task,
            "method": run.method,
            "condition": run.condition,
            "seed": run.seed,
            "key": key,
            "folder": str(self.paths.run(run)),
            "work": str(self.paths.work(key)),
            "labels": self.noisy_labels(run),
            "schedule": as_plain(self.runs[run].schedule),
        }


def _by_folder(needs: dict[RunId, list[Need]], file: Path | str) -> dict[str, Need]:
    found: dict[str, Need] = {}
    for run, wanted in needs.items():
        for need in all_needs(wanted):
            other = found.setdefault(str(need.folder), need)
            if other.parts != need.parts:
                expected = f"one recipe for {need.folder}, which another run of the suite makes otherwise"
                raise InputError(file, f"{need.stage} of {run}", need.recipe, expected)
    return found
