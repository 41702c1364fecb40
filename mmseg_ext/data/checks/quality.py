"""The record of a checked data set, as `results/data/<dataset>/quality.json` holds it."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from mmseg_ext.suite.files import read_json
from mmseg_ext.suite.loading import StrictModel, parse

FindingKind = Literal[
    "case_counts",
    "near_duplicates",
    "empty_masks",
    "absent_class",
    "size_outliers",
    "spacing_outliers",
    "constant_images",
    "intensity_limits",
]


class Finding(StrictModel):
    """Something a reader should look at before trusting a score."""

    kind: FindingKind
    text: str
    cases: list[str]
    """All cases it is about."""


class Spread(StrictModel):
    """Least, median and greatest of some numbers."""

    low: float
    median: float
    high: float


class SubsetCounts(StrictModel):
    """How much there is in a subset."""

    patients: int
    cases: int
    samples: int
    """Slices of volumes, or images."""
    foreground_samples: int
    """Samples with at least one foreground pixel."""


class ClassCounts(StrictModel):
    """How much of a class there is in a subset."""

    subset: str
    class_name: str
    cases: int
    samples: int
    pixels: int
    share: float
    """Share of all pixels of the subset."""


class Quality(StrictModel):
    """A checked data set."""

    dataset: str
    content_sha256: str
    """Of the prepared form that was checked."""
    thresholds: dict[str, float]
    subsets: dict[str, SubsetCounts]
    classes: list[ClassCounts]
    sizes: dict[str, Spread]
    """Slices, height and width of the cases, in voxels or pixels."""
    spacing: dict[str, Spread]
    """Distance between slices, rows and columns in mm; empty where the source has none."""
    values: Spread
    """Physical values: the least and the greatest of all, and the median of the cases' greatest."""
    limits: dict[str, Spread]
    """Physical values of the cases that become 0 (low) and 1 (high) for a network."""
    findings: list[Finding]


class TaskQuality(StrictModel):
    """A checked task of several data sets, as `results/data/tasks/<task>/quality.json` holds it."""

    task: str
    content_sha256: dict[str, str]
    """Of the prepared forms that were checked, by data set."""
    findings: list[Finding]
    """Cases are named `<dataset>/<case>`."""


def read_task_quality(path: Path) -> TaskQuality:
    """Read the record of a task.

    Raises:
        InputError: If the file is missing or holds something else.
    """
    return parse(TaskQuality, read_json(path), path)


def read_quality(path: Path) -> Quality:
    """Read a record.

    Raises:
        InputError: If the file is missing or holds something else.
    """
    return parse(Quality, read_json(path), path)
