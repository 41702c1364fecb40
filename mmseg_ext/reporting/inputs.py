"""All that tables, figures and the page are made from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from mmseg_ext.analysis.collect import DONE, Results, collect
from mmseg_ext.analysis.measures import MACRO, MEASURES, select
from mmseg_ext.analysis.plan_file import PlanFile, TaskSummary, read_plan
from mmseg_ext.analysis.pooled import HARMONIC
from mmseg_ext.data.checks.quality import Quality, TaskQuality, read_quality, read_task_quality
from mmseg_ext.reporting.formatting import MEASURE_TITLES
from mmseg_ext.suite.errors import InputError
from mmseg_ext.suite.files import read_json

TABLES = ("scores", "pooled", "comparisons", "ranks", "cost", "claims", "controls", "noise", "sensitivity", "flags")


@dataclass(frozen=True)
class Inputs:
    """A planned suite, what its runs left, and the tables of its analysis."""

    plan: PlanFile
    results: Results
    tables: dict[str, pd.DataFrame]
    cards: dict[str, dict[str, Any]]
    """`card.json` of each data set that has been prepared."""
    quality: dict[str, Quality]
    """The record of each data set that has been checked."""
    task_quality: dict[str, TaskQuality]
    """The record of each task of several data sets that has been checked."""

    @property
    def protocol(self) -> str:
        """The suite's first protocol of ours: the one figures and the opening words are about."""
        return self.plan.own_protocols[0]

    @property
    def methods(self) -> list[str]:
        """Names of all methods, in the order they always appear in."""
        return list(dict.fromkeys(name.split("/")[1] for name in self.plan.methods))

    def method_title(self, track: str, method: str) -> str:
        """A method's name for people."""
        return self.plan.methods[f"{track}/{method}"].title

    def condition_title(self, track: str, condition: str) -> str:
        """A condition's name for people."""
        return self.plan.tracks[track].conditions[condition].title

    def conditions(self, track: str) -> list[str]:
        """The planned conditions of a track, in the suite's order."""
        return list(self.plan.suite.tracks[track].conditions)

    def task(self, name: str) -> TaskSummary:
        """A task's label space and data sets."""
        return self.plan.tasks[name]

    def deciding_title(self, task: str) -> str:
        """The name of the measure by which a task orders methods: `macro DSC`, `harmonic IoU`."""
        measure = self.task(task).deciding
        return f"macro {MEASURE_TITLES[measure]}" if measure in MEASURES else MEASURE_TITLES[measure]

    def deciding_scores(self, **where: str) -> pd.DataFrame:
        """Scores under the first protocol of ours, each task's in the measure that orders its methods."""
        macro = select(self.tables["scores"], class_name=MACRO, measure="dsc")
        pooled = select(self.tables["pooled"], class_name=HARMONIC, measure="iou")
        hidden = {name for name, task in self.plan.tasks.items() if task.unseen}
        columns = [column for column in macro if column in pooled]
        scores = pd.concat([macro.loc[~macro["task"].isin(hidden), columns], pooled[columns]])
        return select(scores, protocol=self.protocol, **where)

    def prepared(self, dataset: str) -> Path:
        """Folder of a prepared data set."""
        return next(task.datasets[dataset].prepared for task in self.plan.tasks.values() if dataset in task.datasets)

    def test_sets(self) -> list[tuple[str, str, str]]:
        """Every (track, task, data set) with planned runs; the data set is empty where no run has finished."""
        cells = sorted({(cell.track, cell.task) for cell in self.plan.runs})
        scored = self.tables["scores"]
        found = []
        for track, task in cells:
            rows = scored[(scored["track"] == track) & (scored["task"] == task)]
            found += [(track, task, name) for name in sorted(set(rows["dataset"])) or [""]]
        return found

    def test_set_title(self, task: str, dataset: str) -> str:
        """A task's title, with the test set where its name is not the task's."""
        title = self.task(task).title
        return title if dataset in ("", task) else f"{title}, tested on {self.task(task).datasets[dataset].title}"

    def predictions(self, run: str, dataset: str) -> Path:
        """Folder of the predictions of a run on a test set, as the first protocol of ours scores them."""
        folder = next(cell.folder for cell in self.plan.runs if cell.run == run)
        return folder / "predictions" / self.plan.protocols[self.protocol].variant / dataset

    @property
    def done(self) -> int:
        """Number of finished runs."""
        return int((self.results.status["status"] == DONE).sum())


def read_inputs(plan: Path, tables: Path) -> Inputs:
    """Read a plan, its results and its tables.

    Raises:
        InputError: If a table is missing.
    """
    read = read_plan(plan)
    frames = {}
    for name in TABLES:
        path = tables / f"{name}.csv"
        if not path.is_file():
            raise InputError(path, "file", "nothing", "a table of the analysis", "Run `python -m mmseg_ext analyse`.")
        frames[name] = pd.read_csv(path)
    prepared = {name: data.prepared for task in read.tasks.values() for name, data in task.datasets.items()}
    cards = {name: read_json(root / "card.json") for name, root in prepared.items() if (root / "card.json").is_file()}
    checked = {name: data.quality for task in read.tasks.values() for name, data in task.datasets.items()}
    quality = {name: read_quality(path) for name, path in checked.items() if path.is_file()}
    compared = {name: task.quality for name, task in read.tasks.items() if task.quality is not None}
    task_quality = {name: read_task_quality(path) for name, path in compared.items() if path.is_file()}
    return Inputs(read, collect(read), frames, cards, quality, task_quality)
