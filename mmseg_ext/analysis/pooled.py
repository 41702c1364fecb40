"""Measures of all pixels together: DSC and IoU from the counts of all cases of a test set, summed before the quotient.

A large object weighs more than a small one, and a case without the class still counts what was invented there. Networks
of several seeds are pooled one by one and then averaged. Intervals are those of `bootstrap`: patients are drawn with
all their cases, then seeds, the same draws for every class and method, and every resample is pooled anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

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
SEEN, UNSEEN, HARMONIC = "seen", "unseen", "harmonic"
"""Stand in the class column for the mean over seen and over unseen classes, and the harmonic mean of the two."""
ACCURACY = "pixel_accuracy"
"""Share of the pixels of all foreground classes that get their class: pAcc where no background counts."""


def pooled_table(
    cases: pd.DataFrame, protocols: list[str], resamples: int, unseen: Mapping[str, Sequence[str]] | None = None
) -> pd.DataFrame:
    """Return pooled DSC and IoU of every foreground class, and their means over the classes (rows `macro`, class 0).

    A class that neither prediction nor truth holds anywhere is undefined and left out of the mean over classes. A task
    with unseen classes is reported under every protocol, with rows `seen`, `unseen` and `harmonic` besides, and
    `pixel_accuracy`.

    Args:
        cases: CASE_COLUMNS; scores are not looked at, only counts.
        protocols: Protocols to report.
        resamples: Bootstrap resamples.
        unseen: Unseen classes by task; tasks without any may be left out.
    """
    hidden: Mapping[str, Sequence[str]] = unseen or {}
    wanted = cases["protocol"].isin(protocols) | cases["task"].isin([task for task, names in hidden.items() if names])
    rows: list[dict[str, Any]] = []
    for key, group in cases[wanted].groupby(GROUP, sort=True):
        name = dict(zip(GROUP, key, strict=True))
        rows += _rows(name, group, resamples, hidden.get(str(key[1]), ()))
    return pd.DataFrame(rows, columns=POOLED_COLUMNS)


def _rows(name: dict[str, Any], group: pd.DataFrame, resamples: int, unseen: Sequence[str]) -> Iterator[dict[str, Any]]:
    classes = group.groupby("class_id")["class_name"].first().sort_index()
    patients, seeds = sorted(set(group["patient"])), sorted(set(group["seed"]))
    counts = np.stack([_counts(select(group, class_id=one), patients, seeds) for one in classes.index])
    kind: IntervalKind = "none" if len(patients) < 2 else "patients and seeds" if len(seeds) > 1 else "patients"
    by_patient, by_seed = draws(len(patients), len(seeds), resamples)
    sizes = {"n_cases": group["case"].nunique(), "n_patients": len(patients), "n_seeds": len(seeds)}
    hidden = classes.isin(list(unseen)).to_numpy() if unseen else None
    summaries = [(0, label) for label in (MACRO, SEEN, UNSEEN, HARMONIC)[: 4 if unseen else 1]]
    for measure, quotient in POOLED_MEASURES.items():
        found = pool(counts, np.ones((1, len(patients))), np.ones((1, len(seeds))), quotient, hidden)[:, 0]
        drawn = pool(counts, by_patient, by_seed, quotient, hidden)
        for index, (class_id, class_name) in enumerate([*summaries, *classes.items()]):
            low, high = _interval(drawn[index]) if kind != "none" else (float("nan"), float("nan"))
            identity = {**name, "class_id": class_id, "class_name": class_name, "measure": measure}
            yield {**identity, "mean": found[index], "ci_low": low, "ci_high": high, "ci_kind": kind, **sizes}

    if unseen:
        everything = counts.sum(axis=0, keepdims=True)
        found = pool(everything, np.ones((1, len(patients))), np.ones((1, len(seeds))), _share_found)[0]
        drawn = pool(everything, by_patient, by_seed, _share_found)[0]
        low, high = _interval(drawn) if kind != "none" else (float("nan"), float("nan"))
        identity = {**name, "class_id": 0, "class_name": MACRO, "measure": ACCURACY}
        yield {**identity, "mean": found[0], "ci_low": low, "ci_high": high, "ci_kind": kind, **sizes}


def _share_found(both: Floats, found: Floats, true: Floats) -> Floats:
    return both / true


def pool(
    counts: Floats,
    patients: Floats,
    seeds: Floats,
    quotient: Callable[[Floats, Floats, Floats], Floats],
    unseen: NDArray[np.bool_] | None = None,
) -> Floats:
    """Return the pooled measure of each draw: means over classes first, then each class, (means + classes, draws).

    Args:
        counts: (classes, 3, patients, seeds): pixels of intersection, prediction and truth.
        patients: (draws, patients): how often each patient counts.
        seeds: (draws, seeds): how often each seed counts.
        quotient: One of POOLED_MEASURES.
        unseen: (classes,); which classes are unseen. The means are then four: of all, of seen and of unseen classes,
            and the harmonic mean of the last two, taken for each seed.
    """
    summed = np.einsum("dp,kcps->ckds", patients, counts)
    with np.errstate(invalid="ignore", divide="ignore"):
        values = quotient(*summed)
        classes = _weighted(values, seeds)
        means = [_class_mean(values)]
        if unseen is not None:
            seen, new = _class_mean(values[~unseen]), _class_mean(values[unseen])
            # Where both are 0 so is what lies between them.
            harmonic = np.where(seen + new == 0, 0.0, 2 * seen * new / (seen + new))
            means += [seen, new, harmonic]
        return np.concatenate([_weighted(np.stack(means), seeds), classes])


def _class_mean(values: Floats) -> Floats:
    """Return the mean over classes, (draws, seeds), of values (classes, draws, seeds); undefined ones are left out."""
    defined = ~np.isnan(values)
    mean: Floats = np.where(defined, values, 0).sum(axis=0) / defined.sum(axis=0)
    return mean


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
