"""Measures of all pixels together: DSC and IoU from the counts of all cases of a test set, summed before the quotient.

A large object weighs more than a small one, and a case without the class still counts what was invented there. Networks
of several seeds are pooled one by one and then averaged. Intervals are those of `bootstrap`: patients are drawn with
all their cases, then seeds, the same draws for every class and method, and every resample is pooled anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mmseg_ext.analysis.bootstrap import Floats, Sizes, draws, with_interval
from mmseg_ext.analysis.measures import MACRO

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


@dataclass(frozen=True)
class Counts:
    """Pixels of intersection, prediction and truth of one method."""

    values: Floats
    """(classes, 3, patients, seeds), summed over the cases of a patient."""
    classes: pd.Series[str]
    """Names by class id."""
    unseen: NDArray[np.bool_] | None
    """(classes,); none for a task without unseen classes."""
    sizes: Sizes

    @property
    def summaries(self) -> tuple[str, ...]:
        """What the first rows of `pool` are means over."""
        return (MACRO,) if self.unseen is None else (MACRO, SEEN, UNSEEN, HARMONIC)

    def once(self) -> tuple[Floats, Floats]:
        """Return the draw in which every patient and seed counts once."""
        return np.ones((1, self.sizes.patients)), np.ones((1, self.sizes.seeds))


def count_pixels(cases: pd.DataFrame, unseen: Sequence[str] = ()) -> Counts:
    """Sum the pixels of one method under one condition and protocol.

    Args:
        cases: CASE_COLUMNS.
        unseen: Names of the unseen classes of the task.
    """
    classes = cases.groupby("class_id")["class_name"].first().sort_index()
    patients, seeds = (pd.Index(sorted(set(cases[column]))) for column in ("patient", "seed"))
    where = tuple(
        index.get_indexer(pd.Index(cases[column]))
        for index, column in ((classes.index, "class_id"), (patients, "patient"), (seeds, "seed"))
    )
    values = np.zeros((len(classes), len(COUNTS), len(patients), len(seeds)))
    for part, column in enumerate(COUNTS):
        np.add.at(values[:, part], where, cases[column].to_numpy(dtype=float))
    hidden = classes.isin(list(unseen)).to_numpy() if unseen else None
    return Counts(values, classes, hidden, Sizes(cases["case"].nunique(), len(patients), len(seeds)))


def _rows(name: dict[str, Any], group: pd.DataFrame, resamples: int, unseen: Sequence[str]) -> Iterator[dict[str, Any]]:
    counts = count_pixels(group, unseen)
    sizes = counts.sizes
    drawn = draws(sizes.patients, sizes.seeds, resamples)

    def row(class_id: int, class_name: str, measure: str, mean: float, values: Floats) -> dict[str, Any]:
        found = with_interval(mean, values, sizes)
        return {
            **name, "class_id": class_id, "class_name": class_name, "measure": measure,
            "mean": found.mean, "ci_low": found.low, "ci_high": found.high, "ci_kind": found.kind,
            "n_cases": sizes.cases, "n_patients": sizes.patients, "n_seeds": sizes.seeds,
        }  # fmt: skip

    named = zip(counts.classes.index, counts.classes, strict=True)
    labels = [*((0, label) for label in counts.summaries), *named]
    for measure, quotient in POOLED_MEASURES.items():
        means = pool(counts.values, *counts.once(), quotient, counts.unseen)[:, 0]
        replicates = pool(counts.values, *drawn, quotient, counts.unseen)
        for (class_id, class_name), mean, values in zip(labels, means, replicates, strict=True):
            yield row(class_id, class_name, measure, mean, values)
    if unseen:
        everything = counts.values.sum(axis=0, keepdims=True)
        mean = pool(everything, *counts.once(), _share_found)[0, 0]
        yield row(0, MACRO, ACCURACY, mean, pool(everything, *drawn, _share_found)[0])


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
    summed = np.tensordot(patients, counts, axes=(1, 2)).transpose(2, 1, 0, 3)
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
