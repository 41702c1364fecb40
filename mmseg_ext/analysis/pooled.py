"""Measures of all pixels together: DSC and IoU from the counts of all cases of a test set, summed before the quotient.

A large object weighs more than a small one, and a case without the class still counts what was invented there. Networks
of several seeds are pooled one by one and then averaged. Intervals are those of `bootstrap`: patients are drawn with
all their cases, then seeds, the same draws for every class and method, and every resample is pooled anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd

from mmseg_ext.analysis.bootstrap import LEVEL, Floats, IntervalKind, draws
from mmseg_ext.analysis.measures import MACRO, select

GROUP = ["track", "task", "dataset", "method", "condition", "protocol"]
POOLED_COLUMNS = [
    *GROUP, "class_id", "class_name", "measure", "mean", "ci_low", "ci_high", "ci_kind",
    "n_cases", "n_patients", "n_seeds",
]  # fmt: skip
COUNTS = ("intersection", "prediction", "truth")
POOLED_MEASURES: dict[str, Callable[[Floats, Floats, Floats], Floats]] = {
    "dsc": lambda both, found, true: 2 * both / (found + true),
    "iou": lambda both, found, true: both / (found + true - both),
}
"""From the summed counts of intersection, prediction and truth; NaN where prediction and truth are empty."""


def pooled_table(cases: pd.DataFrame, protocols: list[str], resamples: int) -> pd.DataFrame:
    """Return pooled DSC and IoU of every foreground class, and their means over the classes (rows `macro`, class 0).

    A class that neither prediction nor truth holds anywhere is undefined and left out of the mean over classes.

    Args:
        cases: CASE_COLUMNS; scores are not looked at, only counts.
        protocols: Protocols to report.
        resamples: Bootstrap resamples.
    """
    rows: list[dict[str, Any]] = []
    for key, group in cases[cases["protocol"].isin(protocols)].groupby(GROUP, sort=True):
        rows += _rows(dict(zip(GROUP, key, strict=True)), group, resamples)
    return pd.DataFrame(rows, columns=POOLED_COLUMNS)


def _rows(name: dict[str, Any], group: pd.DataFrame, resamples: int) -> Iterator[dict[str, Any]]:
    classes = group.groupby("class_id")["class_name"].first().sort_index()
    patients, seeds = sorted(set(group["patient"])), sorted(set(group["seed"]))
    counts = np.stack([_counts(select(group, class_id=one), patients, seeds) for one in classes.index])
    kind: IntervalKind = "none" if len(patients) < 2 else "patients and seeds" if len(seeds) > 1 else "patients"
    by_patient, by_seed = draws(len(patients), len(seeds), resamples)
    sizes = {"n_cases": group["case"].nunique(), "n_patients": len(patients), "n_seeds": len(seeds)}
    for measure, quotient in POOLED_MEASURES.items():
        found = pool(counts, np.ones((1, len(patients))), np.ones((1, len(seeds))), quotient)[:, 0]
        drawn = pool(counts, by_patient, by_seed, quotient)
        for index, (class_id, class_name) in enumerate([(0, MACRO), *classes.items()]):
            low, high = _interval(drawn[index]) if kind != "none" else (float("nan"), float("nan"))
            identity = {**name, "class_id": class_id, "class_name": class_name, "measure": measure}
            yield {**identity, "mean": found[index], "ci_low": low, "ci_high": high, "ci_kind": kind, **sizes}


def pool(
    counts: Floats, patients: Floats, seeds: Floats, quotient: Callable[[Floats, Floats, Floats], Floats]
) -> Floats:
    """Return the pooled measure of each draw: the mean over classes first, then each class, (1 + classes, draws).

    Args:
        counts: (classes, 3, patients, seeds): pixels of intersection, prediction and truth.
        patients: (draws, patients): how often each patient counts.
        seeds: (draws, seeds): how often each seed counts.
        quotient: One of POOLED_MEASURES.
    """
    summed = np.einsum("dp,kcps->ckds", patients, counts)
    with np.errstate(invalid="ignore", divide="ignore"):
        values = quotient(*summed)
        classes = _weighted(values, seeds)
        defined = ~np.isnan(values)
        macro = np.where(defined, values, 0).sum(axis=0) / defined.sum(axis=0)
        return np.concatenate([_weighted(macro[None], seeds), classes])


def _weighted(values: Floats, seeds: Floats) -> Floats:
    """Return the mean over seeds, (..., draws), of values (..., draws, seeds); undefined ones are left out."""
    weights = np.where(np.isnan(values), 0, seeds)
    means: Floats = (np.nan_to_num(values) * weights).sum(axis=-1) / weights.sum(axis=-1)
    return means


def _counts(rows: pd.DataFrame, patients: list[str], seeds: list[int]) -> Floats:
    """Return the pixels of one class, (3, patients, seeds), summed over the cases of a patient."""
    tables = [
        rows.pivot_table(index="patient", columns="seed", values=column, aggfunc="sum", fill_value=0)
        .reindex(index=patients, columns=seeds, fill_value=0)
        .to_numpy(dtype=float)
        for column in COUNTS
    ]
    return np.stack(tables)


def _interval(values: Floats) -> tuple[float, float]:
    if np.isnan(values).all():
        return float("nan"), float("nan")
    low, high = np.nanpercentile(values, [50 * (1 - LEVEL), 50 * (1 + LEVEL)])
    return float(low), float(high)
