"""The suite: which runs to make."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from mmseg_ext.suite.dataset_card import Name
from mmseg_ext.suite.loading import StrictModel
from mmseg_ext.suite.sensitivity import Sensitivity

Pixels = Annotated[int, Field(ge=16, le=4096)]
_RESOURCES = {"threads", "memory_mb", "runtime_minutes"}


class Schedule(StrictModel):
    """How long and on what input size a network is trained; everything else is the method's."""

    image_size: tuple[Pixels, Pixels]
    """Height and width of the network's input."""
    batch_size: Annotated[int, Field(ge=1)]
    iterations: Annotated[int | None, Field(ge=2)] = None
    """Optimiser steps; at least two, because a learning-rate curve needs a start and an end."""
    epochs: Annotated[int | None, Field(ge=1)] = None
    """Passes over the training samples; give this or `iterations`."""
    validations: Annotated[int, Field(ge=1)] = 4
    """How many times, evenly spread, the validation set is measured; a checkpoint is kept each time."""
    precision: Literal["fp32", "fp16", "bf16"] = "fp32"
    """Automatic mixed precision for anything but fp32."""
    threads: Annotated[int, Field(ge=1)] = 1
    """CPU threads of one training job."""
    memory_mb: Annotated[int, Field(ge=256)] = 2000
    """Memory one training job may need; Snakemake and cluster executors plan with it."""
    runtime_minutes: Annotated[int, Field(ge=1)] = 30

    @property
    def resources(self) -> dict[str, int]:
        """Where a job fits, and not what it computes."""
        return {name: getattr(self, name) for name in _RESOURCES}

    @property
    def computed(self) -> dict[str, Any]:
        """All but the resources, as plain data."""
        return self.model_dump(mode="json", exclude=_RESOURCES)

    @model_validator(mode="after")
    def _one_length(self) -> Schedule:
        if (self.iterations is None) == (self.epochs is None):
            raise ValueError("either iterations or epochs, and not both")
        return self


class Pair(StrictModel):
    """One cell of a matrix that is not full."""

    task: Name
    method: Name


class Pretraining(StrictModel):
    """What encoders are pre-trained on and for how long; it concerns the methods that have something to pre-train."""

    source: Name | None = None
    """Data set whose images are used, all of them; null: those of the task's own training and validation patients."""
    schedule: Schedule


class TrackRuns(StrictModel):
    """The runs of one track."""

    tasks: list[Name] = []
    methods: list[Name] = []
    pairs: list[Pair] = []
    """Cells listed one by one, besides the full matrix of tasks and methods."""
    conditions: Annotated[list[Name], Field(min_length=1)]
    condition_methods: dict[Name, list[Name]] = {}
    """Methods that run under single conditions, by condition; under the others all run."""
    schedule: Schedule
    schedules: dict[Name, Schedule] = {}
    """Schedules of single tasks, by task name, in place of `schedule`."""
    pretraining: Pretraining | None = None
    """Needed where a method pre-trains."""
    pretrainings: dict[Name, Pretraining] = {}
    """Pre-training for single tasks, by task name, in place of `pretraining`."""

    @model_validator(mode="after")
    def _some_cells(self) -> TrackRuns:
        if not (self.pairs or (self.tasks and self.methods)):
            raise ValueError("tasks and methods, or pairs")
        return self


class Suite(StrictModel):
    """A named set of runs, their seeds and the protocols that score them."""

    suite: Name
    title: str
    description: str = ""
    seeds: Annotated[list[Annotated[int, Field(ge=0)]], Field(min_length=1)]
    """Seeds shared by all methods, so that comparisons are paired."""
    protocols: Annotated[list[Name], Field(min_length=1)]
    tracks: Annotated[dict[Name, TrackRuns], Field(min_length=1)]
    bootstrap_samples: Annotated[int, Field(ge=200)] = 2000
    """Resamples behind every confidence interval."""
    sensitivity: list[Sensitivity] = []
    """Figures of scores over a value that methods differ in."""

    @model_validator(mode="after")
    def _distinct_seeds(self) -> Suite:
        if len(set(self.seeds)) != len(self.seeds):
            raise ValueError(f"seeds that differ, found {self.seeds}")
        return self

    @model_validator(mode="after")
    def _methods_of_curves(self) -> Suite:
        for sheet in self.sensitivity:
            runs = self.tracks.get(sheet.track)
            if runs is None:
                raise ValueError(f"a track of the suite in sensitivity {sheet.sensitivity!r}, found {sheet.track!r}")
            known = {*runs.methods, *(pair.method for pair in runs.pairs)}
            for point in (point for panel in sheet.panels for point in panel.points):
                if point.method not in known:
                    where = f"sensitivity {sheet.sensitivity!r}"
                    raise ValueError(f"a method that the suite runs in {where}, found {point.method!r}")
        return self
