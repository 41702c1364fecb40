"""The measures of a case, which way is better, and the macro mean of a case."""

from __future__ import annotations

from typing import Any

import pandas as pd

MEASURES = ("dsc", "iou", "nsd", "hd95", "hd95_max", "assd")
LOWER_IS_BETTER = frozenset({"hd95", "hd95_max", "assd"})
RUN_COLUMNS = ["track", "task", "method", "condition", "seed"]
CASE_COLUMNS = [
    *RUN_COLUMNS, "protocol", "dataset", "case", "patient", "class_id", "class_name", "status",
    "dsc", "iou", "hd95", "hd95_max", "assd", "nsd", "intersection", "prediction", "truth", "unit",
]  # fmt: skip
STATUSES = ("ok", "both_empty", "missed", "spurious")
MACRO = "macro"
"""Stands in the class column for the mean over foreground classes."""
COMPARED_MEASURES = ("dsc", "nsd")
"""Macro measures in which methods are compared and ranked on any task."""
UNSEEN_IOU, HARMONIC_IOU = "iou_unseen", "iou_harmonic"
"""On tasks with unseen classes: pooled IoU, mean over those classes, and its harmonic mean with that over seen ones."""


def orientation(measure: str) -> int:
    """Return 1 if a larger value of the measure is better, else -1."""
    return -1 if measure in LOWER_IS_BETTER else 1


def macro_cases(cases: pd.DataFrame) -> pd.DataFrame:
    """Return one row per run, protocol and case: each measure's mean over the foreground classes defined there.

    A measure that no class defines (all masks empty) stays undefined.
    """
    keys = [*RUN_COLUMNS, "protocol", "dataset", "case", "patient"]
    averaged: pd.DataFrame = cases.groupby(keys, sort=True)[list(MEASURES)].mean().reset_index()
    return averaged


def select(frame: pd.DataFrame, **values: Any) -> pd.DataFrame:
    """Return the rows whose columns have these values."""
    keep = pd.Series(True, index=frame.index)
    for column, value in values.items():
        keep &= frame[column] == value
    return frame[keep]
