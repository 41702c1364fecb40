"""The measures of a case, which way is better, and the macro mean of a case."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
UNSEEN_IOU = "iou_unseen"
"""IoU averaged over the unseen classes of a case: a measure of macro rows of tasks that have some."""
COMPARED_MEASURES = ("dsc", "nsd")
"""Macro measures in which methods are compared and ranked on any task."""
_CASE_KEYS = [*RUN_COLUMNS, "protocol", "dataset", "case", "patient"]


def orientation(measure: str) -> int:
    """Return 1 if a larger value of the measure is better, else -1."""
    return -1 if measure in LOWER_IS_BETTER else 1


def macro_cases(cases: pd.DataFrame, unseen: Mapping[str, Sequence[str]] | None = None) -> pd.DataFrame:
    """Return one row per run, protocol and case: each measure's mean over the foreground classes defined there.

    A measure that no class defines (all masks empty) stays undefined.

    Args:
        cases: CASE_COLUMNS.
        unseen: Unseen classes by task. If a task of the cases has some there is a column UNSEEN_IOU,
            undefined for other tasks.
    """
    averaged: pd.DataFrame = cases.groupby(_CASE_KEYS, sort=True)[list(MEASURES)].mean().reset_index()
    if not unseen or not any(unseen.get(task) for task in set(cases["task"])):
        return averaged
    of_unseen = macro_unseen(cases, unseen)[[*_CASE_KEYS, "iou"]].rename(columns={"iou": UNSEEN_IOU})
    return averaged.merge(of_unseen, on=_CASE_KEYS, how="left", validate="one_to_one")


def macro_unseen(cases: pd.DataFrame, unseen: Mapping[str, Sequence[str]]) -> pd.DataFrame:
    """Return what `macro_cases` does, over the unseen classes of each task only."""
    kept = [name in unseen.get(task, ()) for task, name in zip(cases["task"], cases["class_name"], strict=True)]
    return macro_cases(cases[pd.Series(kept, cases.index, dtype=bool)])


def compared_measures(macro: pd.DataFrame) -> tuple[str, ...]:
    """Return the measures in which the methods of these macro rows are compared."""
    has_unseen = UNSEEN_IOU in macro and macro[UNSEEN_IOU].notna().any()
    return (*COMPARED_MEASURES, UNSEEN_IOU) if has_unseen else COMPARED_MEASURES


def select(frame: pd.DataFrame, **values: Any) -> pd.DataFrame:
    """Return the rows whose columns have these values."""
    keep = pd.Series(True, index=frame.index)
    for column, value in values.items():
        keep &= frame[column] == value
    return frame[keep]
