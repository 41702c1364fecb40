"""The tidy table of scored cases: one row per protocol, case and foreground class, and no mean anywhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import hypot
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mmseg_ext.data.prepared import IGNORED, Case, PreparedDataset
from mmseg_ext.evaluation.measures import ClassMeasures
from mmseg_ext.evaluation.scoring import SCORING, Scoring
from mmseg_ext.suite.errors import InputError, unknown_name
from mmseg_ext.suite.matrix import RunId
from mmseg_ext.suite.task import Task
from mmseg_ext.suite.track import Protocol

COLUMNS = [
    "track", "task", "method", "condition", "seed", "protocol", "dataset", "case", "patient",
    "class_id", "class_name", "status", "dsc", "iou", "hd95", "hd95_max", "assd", "nsd",
    "intersection", "prediction", "truth", "unit",
]  # fmt: skip


@dataclass(frozen=True)
class MeasuredCase:
    """The measures of one case before any scoring, and the length of its diagonal."""

    classes: list[ClassMeasures]
    diagonal: float
    unit: str
    """Of distances: `mm` or `px`."""


def read_test_cases(subset: Path, task: Task, prepared: Mapping[str, PreparedDataset]) -> list[Case]:
    """Return the test cases of a training subset, in the order of its file.

    Args:
        subset: CSV with the columns dataset, case, patient, subset.
        task: Whose test sets the cases belong to.
        prepared: Prepared data sets by name.

    Raises:
        InputError: If the file is missing, lacks a column or a test case, or names an unknown data set or
            case, or if a data set has other classes than the task.
    """
    try:
        table = pd.read_csv(subset, dtype=str, keep_default_na=False)
    except FileNotFoundError:
        raise InputError(subset, "file", "nothing", "the training subset of a run") from None
    missing = {"dataset", "case", "subset"} - set(table.columns)
    if missing:
        raise InputError(subset, "columns", list(table.columns), f"also {', '.join(sorted(missing))}")
    rows = table[table["subset"] == "test"]
    if rows.empty:
        raise InputError(subset, "subset", sorted(set(table["subset"])), "at least one row test")
    for dataset in rows["dataset"].unique():
        if dataset not in prepared:
            raise unknown_name(subset, "dataset", dataset, "a prepared data set", prepared)
        if prepared[dataset].classes != task.classes:
            card = prepared[dataset].root / "card.json"
            raise InputError(card, "classes", prepared[dataset].classes, f"those of the task: {task.classes}")
    found = []
    for dataset, case in zip(rows["dataset"], rows["case"], strict=True):
        cases = prepared[dataset].cases
        if case not in cases:
            raise InputError(subset, "case", case, f"a case of the prepared data set {dataset}")
        found.append(cases[case])
    return found


def read_truth(data: PreparedDataset, case: Case, task: Task) -> NDArray[np.uint8]:
    """Return the class ids of a case (slices, H, W), `IGNORED` where the task counts no pixel."""
    truth: NDArray[np.uint8] = data.label_volume(case.case)
    truth[np.isin(truth, [task.classes.index(name) for name in task.ignored])] = IGNORED
    return truth


def measure_case(
    data: PreparedDataset,
    case: Case,
    truth: NDArray[np.uint8],
    prediction: NDArray[np.uint8],
    tolerance: float,
    scoring: Scoring = SCORING["strict"],
) -> MeasuredCase:
    """Measure the prediction of a case in the unit of its data set: mm by the spacing, px by counting pixels.

    Args:
        data: The prepared data set.
        case: The case.
        truth: Class ids (slices, H, W).
        prediction: Class ids of the same shape.
        tolerance: Tolerance of the NSD, in the unit of the distances.
        scoring: Says what is measured, and whether pixels are counted in any case.

    Raises:
        InputError: If the unit is mm and the case has no spacing along an axis it extends along.
    """
    unit = "px" if scoring.in_pixels else data.unit
    spacing = (1.0, 1.0, 1.0) if unit == "px" else _spacing(data, case)
    axes = range(3) if len(truth) > 1 else range(1, 3)
    diagonal = hypot(*(truth.shape[axis] * spacing[axis] for axis in axes))
    return MeasuredCase(scoring.measure(truth, prediction, data.classes, spacing, tolerance), diagonal, unit)


def case_rows(run: RunId, protocol: Protocol, case: Case, measured: MeasuredCase) -> Iterator[dict[str, Any]]:
    """Yield the rows of a case under the scoring of a protocol, one a foreground class."""
    score = SCORING[protocol.scoring].score
    identity = {**vars(run), "protocol": protocol.protocol}
    place = {"dataset": case.dataset, "case": case.case, "patient": case.patient, "unit": measured.unit}
    for measures in measured.classes:
        yield {**identity, **place, **vars(score(measures, measured.diagonal))}


def case_table(rows: Iterable[dict[str, Any]]) -> pd.DataFrame:
    """Return rows as a table with the columns COLUMNS."""
    return pd.DataFrame(list(rows), columns=COLUMNS)


def _spacing(data: PreparedDataset, case: Case) -> tuple[float, float, float]:
    needed = case.spacing[len(case.samples) == 1 :] if case.spacing else (float("nan"),)
    if case.spacing is None or not all(value > 0 for value in needed):
        found = f"{case.spacing} for case {case.case}"
        raise InputError(data.root / "samples.csv", "spacing", found, "a distance in mm along every axis")
    return case.spacing
