"""The plan of a suite, as the analysis reads it: what was to run, under which names, in which folders."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from mmseg_ext.analysis.measures import HARMONIC_IOU
from mmseg_ext.suite.files import read_json
from mmseg_ext.suite.loading import StrictModel, parse
from mmseg_ext.suite.suite_config import Schedule, Suite
from mmseg_ext.suite.track import MethodCard, Protocol, Track


class DatasetSummary(StrictModel):
    """What a reader must know of a data set, and where its prepared form lies."""

    title: str
    modality: str
    licence: str
    access: str
    homepage: str | None = None
    citation: str | None = None
    prepared: Path
    quality: Path
    """What the checks of the prepared form found."""


class TaskSummary(StrictModel):
    """A task's label space and data sets."""

    quality: Path | None = None
    """What the comparison of its data sets found; none for a task on one data set."""
    title: str
    classes: list[str]
    """Class names by id, background first."""
    unseen: list[str] = []
    """Classes that training must never see."""
    ignored: list[str] = []
    """Classes whose pixels count nowhere."""
    unit: Literal["mm", "px"]
    nsd_tolerance: float
    datasets: dict[str, DatasetSummary]

    @property
    def deciding(self) -> str:
        """The measure by which methods are ordered."""
        return HARMONIC_IOU if self.unseen else "dsc"


class Cell(StrictModel):
    """One planned run."""

    run: str
    track: str
    task: str
    method: str
    condition: str
    seed: int
    key: str
    folder: Path
    work: Path
    labels: dict[str, Path] = {}
    """Folder of the labels that stood in for the true ones in training, by data set."""
    schedule: Schedule


class PretrainedEncoder(StrictModel):
    """One encoder that runs start from."""

    track: str
    source: str
    """Name of the images it was pre-trained on."""
    method: str
    seed: int
    folder: Path


class PlanFile(StrictModel):
    """A suite with every name resolved."""

    suite: Suite
    protocols: dict[str, Protocol]
    tracks: dict[str, Track]
    methods: dict[str, MethodCard]
    """By `track/method`."""
    tasks: dict[str, TaskSummary]
    runs: list[Cell]
    regions: dict[str, dict[str, Path]] = {}
    """Folder of the region maps of a training set, under the first condition that has some: by task and data set."""
    controls: dict[str, Path]
    """Folder of each task's control pseudo-methods."""
    superpixels: dict[str, list[Path]] = {}
    """Folders of the superpixel maps that runs start from, by data set."""
    pretrained: list[PretrainedEncoder] = []

    @property
    def own_protocols(self) -> list[str]:
        """Protocols that repeat no paper's evaluator, in the suite's order; controls bound their measures."""
        return [name for name in self.suite.protocols if self.protocols[name].paper is None]

    @property
    def ranking_protocols(self) -> list[str]:
        """Protocols whose numbers may be compared: the test set chose nothing."""
        return [name for name in self.suite.protocols if not self.protocols[name].chosen_on_test]

    @property
    def pooled_protocols(self) -> list[str]:
        """Protocols that also ask for measures of all pixels together."""
        return [name for name in self.suite.protocols if self.protocols[name].pooled]


def read_plan(path: Path) -> PlanFile:
    """Read a plan.

    Raises:
        InputError: If the file is missing or is not a plan.
    """
    return parse(PlanFile, read_json(path), path)
