"""Curves over a value that methods differ in: measured ones from the scores, published ones from the papers' tables."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from mmseg_ext.analysis.measures import MACRO, select
from mmseg_ext.analysis.plan_file import PlanFile
from mmseg_ext.analysis.published import read_published
from mmseg_ext.suite.errors import InputError, unknown_name
from mmseg_ext.suite.sensitivity import Panel, PublishedCurves, Sensitivity

MEASURED, PUBLISHED = "measured", "published"
SENSITIVITY_COLUMNS = [
    "sensitivity", "track", "panel", "source", "task", "dataset", "condition", "value", "mean", "ci_low", "ci_high",
]  # fmt: skip
_Row = tuple[str, str, str, str, str, str, str, float, float, float | None, float | None]


def sensitivity_table(configs: Path, plan: PlanFile, scores: pd.DataFrame) -> pd.DataFrame:
    """Return one row per point of every curve the suite asks for; none where it asks for none.

    Published rows have the paper's name of the data set, and neither task, condition nor interval.

    Args:
        configs: Folder with `published/<paper>.csv`.
        plan: The plan.
        scores: Result of `score_table`.

    Raises:
        InputError: If published numbers that the suite names are not there.
    """
    rows: list[_Row] = []
    for sheet in plan.suite.sensitivity:
        for panel in sheet.panels:
            rows += _measured(sheet, panel, scores, plan.own_protocols[0])
            if sheet.published is not None and panel.published is not None:
                rows += _published(sheet, panel.label, sheet.published, panel.published, configs, plan.suite.suite)
    return pd.DataFrame(rows, columns=SENSITIVITY_COLUMNS)


def _measured(sheet: Sensitivity, panel: Panel, scores: pd.DataFrame, protocol: str) -> Iterator[_Row]:
    known = select(scores, track=sheet.track, protocol=protocol, class_name=MACRO, measure=sheet.measure)
    for point in panel.points:
        for row in select(known, method=point.method).to_dict("records"):
            place = str(row["task"]), str(row["dataset"]), str(row["condition"])
            numbers = float(row["mean"]), float(row["ci_low"]), float(row["ci_high"])
            yield (sheet.sensitivity, sheet.track, panel.label, MEASURED, *place, point.value, *numbers)


def _published(
    sheet: Sensitivity, label: str, source: PublishedCurves, beginning: str, configs: Path, suite: str
) -> Iterator[_Row]:
    file = configs / "published" / f"{source.paper}.csv"
    rows = read_published(file)
    for column, wanted in (("table", source.table), ("metric", source.metric)):
        known = set(rows[column])
        rows = select(rows, **{column: wanted})
        if rows.empty:
            raise unknown_name(
                f"suite {suite}", f"sensitivity.published.{column}", wanted, f"a {column} of {file}", known
            )
    chosen = rows[rows["method"].str.startswith(beginning)]
    if chosen.empty:
        expected = f"the beginning of a method's name in {file}"
        raise unknown_name(f"suite {suite}", "sensitivity.panels.published", beginning, expected, set(rows["method"]))
    for row in chosen.to_dict("records"):
        rest = str(row["method"]).removeprefix(beginning)
        try:
            value = float(rest)
        except ValueError:
            raise InputError(file, "method", row["method"], f"{beginning!r}, then a number") from None
        mean = float(row["value"]) / (100 if str(row["unit"]).startswith(("%", "percent")) else 1)
        place = sheet.sensitivity, sheet.track, label, PUBLISHED, "", str(row["dataset"]), ""
        yield (*place, value, mean, None, None)
