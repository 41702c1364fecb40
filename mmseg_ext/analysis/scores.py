"""Means with intervals: one row per method, condition, protocol, class (or macro) and measure."""

from __future__ import annotations

from typing import Any

import pandas as pd

from mmseg_ext.analysis.bootstrap import estimate, tabulate
from mmseg_ext.analysis.measures import MACRO, MEASURES, STATUSES, macro_cases, select

GROUP = ["track", "task", "dataset", "method", "condition", "protocol"]
SCORE_COLUMNS = [
    *GROUP, "class_id", "class_name", "measure", "unit", "mean", "ci_low", "ci_high", "ci_kind",
    "n_cases", "n_patients", "n_seeds", *(f"n_{status}" for status in STATUSES),
]  # fmt: skip


def score_table(cases: pd.DataFrame, resamples: int) -> pd.DataFrame:
    """Average cases into scores.

    The macro score of a case is the mean over its foreground classes with a defined value; scores are means over
    cases. `n_ok` to `n_spurious` count rows of the class (for macro: of all classes) over all seeds, so that what is
    left out of a mean or scored as a miss can be seen beside it. Macro rows have class_id 0.

    Args:
        cases: CASE_COLUMNS.
        resamples: Bootstrap resamples.
    """
    rows: list[dict[str, Any]] = []
    for key, group in cases.groupby(GROUP, sort=True):
        name = dict(zip(GROUP, key, strict=True))
        unit = str(group["unit"].iloc[0])
        rows += _class_rows(name, 0, MACRO, macro_cases(group), group["status"], unit, resamples)
        for class_id in sorted(set(group["class_id"])):
            part = select(group, class_id=class_id)
            class_name = str(part["class_name"].iloc[0])
            rows += _class_rows(name, int(class_id), class_name, part, part["status"], unit, resamples)
    return pd.DataFrame(rows, columns=SCORE_COLUMNS)


def _class_rows(
    name: dict[str, Any],
    class_id: int,
    class_name: str,
    values: pd.DataFrame,
    statuses: pd.Series[str],
    unit: str,
    resamples: int,
) -> list[dict[str, Any]]:
    counts = statuses.value_counts()
    rows = []
    for measure in MEASURES:
        sample = tabulate(values, measure)
        found = estimate(sample, resamples)
        rows.append(
            {
                **name,
                "class_id": class_id,
                "class_name": class_name,
                "measure": measure,
                "unit": unit if measure in ("hd95", "hd95_max", "assd") else "",
                "mean": found.mean,
                "ci_low": found.low,
                "ci_high": found.high,
                "ci_kind": found.kind,
                "n_cases": sample.cases,
                "n_patients": sample.sizes.patients,
                "n_seeds": sample.sizes.seeds,
                **{f"n_{status}": int(counts.get(status, 0)) for status in STATUSES},
            }
        )
    return rows
