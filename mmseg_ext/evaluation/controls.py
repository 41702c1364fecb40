"""Control predictions made from the truth, which must bound every measure.

`oracle` is the truth, `empty` predicts background only, and `dilated` grows every class by one voxel. A table
in which they are not ordered as their definitions demand comes from broken measures or broken data.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import ndimage

from mmseg_ext.data.prepared import PreparedDataset
from mmseg_ext.evaluation.cases import case_rows, case_table, measure_case, read_test_cases, read_truth
from mmseg_ext.evaluation.scoring import SCORING
from mmseg_ext.suite.matrix import RunId
from mmseg_ext.suite.task import Task
from mmseg_ext.suite.track import Protocol

_DISTANCES = ["hd95", "hd95_max", "assd"]
_MEASURES = ["dsc", "iou", "nsd", *_DISTANCES]
_KEYS = ["task", "protocol", "dataset", "case", "class_id"]


class ControlError(RuntimeError):
    """A control breaks a bound: names control, case, class, measure, value and bound."""


def dilate_classes(labels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return label maps (slices, H, W) in which every class has grown by one face-connected step.

    Classes grow into background only; where several meet, the one with the lowest id grows.
    """
    background = np.iinfo(np.uint16).max
    values = np.where(labels == 0, np.uint16(background), labels)
    cross = ndimage.generate_binary_structure(3, 1)
    lowest = ndimage.minimum_filter(values, footprint=cross, mode="constant", cval=background)
    grows = (labels == 0) & (lowest < background)
    return np.where(grows, lowest, labels).astype(np.uint8)


CONTROLS: dict[str, Callable[[NDArray[np.uint8]], NDArray[np.uint8]]] = {
    "oracle": np.copy,
    "empty": np.zeros_like,
    "dilated": dilate_classes,
}
"""Predictions by the name of the control, each made from the truth (slices, H, W)."""


def control_cases(
    task: Task, prepared: dict[str, PreparedDataset], subset: Path, protocols: list[Protocol]
) -> pd.DataFrame:
    """Score every control on the test cases of a task.

    Args:
        task: The task.
        prepared: Prepared data sets by name.
        subset: A training subset of the task; its rows `test` are the cases.
        protocols: How to score.

    Returns:
        Columns `cases.COLUMNS` with track and condition `control` and seed 0.

    Raises:
        InputError: If the subset does not fit the data.
    """
    rows: list[dict[str, Any]] = []
    cases = read_test_cases(subset, task, prepared)
    for case in cases:
        data = prepared[case.dataset]
        truth = read_truth(data, case, task)
        for control, predict in CONTROLS.items():
            run, labels = RunId("control", task.task, control, "control", 0), predict(truth)
            for protocol in protocols:
                scoring = SCORING[protocol.scoring]
                measured = measure_case(data, case, truth, labels, task.nsd_tolerance, scoring)
                rows.extend(case_rows(run, protocol, case, measured))
    return case_table(rows)


def check_controls(frame: pd.DataFrame) -> None:
    """Check that the controls bound every measure under scoring `strict`, class by class.

    The oracle is perfect wherever the class is in the truth, the empty control overlaps nowhere, and the
    dilated one lies strictly between them in DSC and IoU wherever the class had room to grow. No distance
    exceeds that of the empty control, the diagonal. A class absent from the truth has no value at all.

    Args:
        frame: A table of `control_cases`.

    Raises:
        ControlError: For the first bound that is broken, or if a control lacks rows.
    """
    by_control = {control: frame[frame["method"] == control].set_index(_KEYS) for control in CONTROLS}
    for control, rows in by_control.items():
        if rows.empty or not rows.index.equals(by_control["oracle"].index):
            raise ControlError(f"control {control}: found {len(rows)} rows, expected those of every control")
    for control, rows in by_control.items():
        in_truth = rows["truth"] > 0
        for measure in _MEASURES:
            low, high = _bounds(control, measure, rows, by_control["empty"][measure])
            values = rows[measure]
            fits = (values.between(low, high) & in_truth) | (values.isna() & ~in_truth)
            if not fits.all():
                broken = int((~fits).to_numpy().argmax())
                _, protocol, dataset, case, _ = rows.index[broken]
                row = rows.iloc[broken]
                limits = f"{low.iloc[broken]} to {high.iloc[broken]}" if row["truth"] else "no value"
                raise ControlError(
                    f"control {control}, case {dataset}/{case}, class {row['class_name']}, {measure} "
                    f"({protocol}): found {row[measure]}, expected {limits}"
                )


def _bounds(
    control: str, measure: str, rows: pd.DataFrame, diagonal: pd.Series[float]
) -> tuple[pd.Series[float], pd.Series[float]]:
    """Return the least and the greatest value allowed in each row."""
    zero, one = pd.Series(0.0, rows.index), pd.Series(1.0, rows.index)
    above_zero, below_one = np.nextafter(0.0, 1.0), np.nextafter(1.0, 0.0)
    is_distance = measure in _DISTANCES
    match control:
        case "oracle":
            return (zero, zero) if is_distance else (one, one)
        case "empty":
            return (zero + above_zero, one * np.inf) if is_distance else (zero, zero)
        case _ if is_distance:
            return zero, diagonal
        case _ if measure == "nsd":
            return zero, one
        case _:
            grown = rows["prediction"] > rows["truth"]
            return one.mask(grown, above_zero), one.mask(grown, below_one)
