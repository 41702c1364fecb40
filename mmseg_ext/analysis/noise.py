"""Measures of training under label noise: means with intervals from the runs' tables `noise.csv`."""

from __future__ import annotations

from dataclasses import astuple

import pandas as pd

from mmseg_ext.analysis.bootstrap import estimate, tabulate
from mmseg_ext.analysis.collect import DONE
from mmseg_ext.analysis.plan_file import PlanFile

CASE_COLUMNS = [
    "track", "task", "method", "condition", "seed", "subset", "dataset", "case", "patient", "measure", "value",
]  # fmt: skip
"""Of a run's `noise.csv`; `mmseg_ext.evaluation.label_noise` says what the measures are."""
GROUP = ["track", "task", "dataset", "method", "condition", "subset", "measure"]
NOISE_COLUMNS = [*GROUP, "mean", "ci_low", "ci_high", "ci_kind", "n_cases", "n_patients", "n_seeds"]


def noise_table(plan: PlanFile, status: pd.DataFrame, resamples: int) -> pd.DataFrame:
    """Return one row per method, condition, subset and measure; none where no run has such a table.

    Args:
        plan: The plan.
        status: Columns run and status.
        resamples: Bootstrap resamples.
    """
    done = set(status[status["status"] == DONE]["run"])
    files = [cell.folder / "noise.csv" for cell in plan.runs if cell.run in done]
    text = {name: str for name in CASE_COLUMNS if name not in ("seed", "value")}
    frames = [pd.read_csv(file, dtype=text, keep_default_na=False) for file in files if file.is_file()]
    rows = []
    if frames:
        cases = pd.concat(frames, ignore_index=True)
        for key, group in cases.groupby(GROUP, sort=True):
            sample = tabulate(group, "value")
            found = estimate(sample, resamples)
            rows.append((*key, *astuple(found), *astuple(sample.sizes)))
    return pd.DataFrame(rows, columns=NOISE_COLUMNS)
