"""Paired differences of pooled IoU on tasks with unseen classes: over those, and of the harmonic mean with seen ones.

A pooled measure has no value for one image, so nothing can be averaged over images. The test exchanges instead: if two
methods were alike, the pixels each counted on a patient could as well be the other's. The patients are exchanged at
random, everything is pooled anew, and p is how often the difference is then as large as it was found.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mmseg_ext.analysis.bootstrap import Difference, Estimate, Floats, Sizes, draws, with_interval
from mmseg_ext.analysis.measures import HARMONIC_IOU, UNSEEN_IOU
from mmseg_ext.analysis.pooled import HARMONIC, POOLED_MEASURES, UNSEEN, Counts, count_pixels, pool

_SUMMARIES = {UNSEEN_IOU: UNSEEN, HARMONIC_IOU: HARMONIC}
BATCH = 2000
"""Exchanges pooled at a time."""


def pooled_differences(
    a: pd.DataFrame, b: pd.DataFrame, unseen: Sequence[str], resamples: int, permutations: int
) -> dict[str, Difference]:
    """Compare two methods by UNSEEN_IOU and HARMONIC_IOU on the (case, seed) pairs both have.

    Args:
        a, b: CASE_COLUMNS, each of one method, condition and protocol.
        unseen: Names of the unseen classes, at least one.
        resamples: Bootstrap resamples.
        permutations: Exchanges tried, unless there are fewer.
    """
    first, second = common(a, b)
    if first.empty:
        nothing = Difference(Estimate(np.nan, np.nan, np.nan, "none"), Sizes(0, 0, 0), np.nan)
        return dict.fromkeys(_SUMMARIES, nothing)
    one, other = count_pixels(first, unseen), count_pixels(second, unseen)
    sizes = one.sizes
    found = _means(one, *one.once()) - _means(other, *other.once())
    drawn = draws(sizes.patients, sizes.seeds, resamples)
    replicates = _means(one, *drawn) - _means(other, *drawn)
    p_values = _exchanged(one, other, found[:, 0], permutations)
    results = {}
    for index, measure in enumerate(_SUMMARIES):
        estimate = with_interval(float(found[index, 0]), replicates[index], sizes)
        results[measure] = Difference(estimate, sizes, float(p_values[index]))
    return results


def pooled_replicates(cases: pd.DataFrame, unseen: Sequence[str], resamples: int) -> dict[str, tuple[float, Floats]]:
    """Return UNSEEN_IOU and HARMONIC_IOU of one method, each with its bootstrap replicates (resamples,)."""
    counts = count_pixels(cases, unseen)
    found = _means(counts, *counts.once())[:, 0]
    drawn = _means(counts, *draws(counts.sizes.patients, counts.sizes.seeds, resamples))
    return {measure: (float(found[index]), drawn[index]) for index, measure in enumerate(_SUMMARIES)}


def common(*parts: pd.DataFrame) -> list[pd.DataFrame]:
    """Return of each table the rows of the (case, seed) pairs that all have."""
    pairs = [pd.MultiIndex.from_frame(part[["case", "seed"]]) for part in parts]
    shared = pairs[0].unique()
    for other in pairs[1:]:
        shared = shared.intersection(other)
    return [part[index.isin(shared)] for part, index in zip(parts, pairs, strict=True)]


def _means(counts: Counts, patients: Floats, seeds: Floats) -> Floats:
    """Return the measures of each draw, (measures, draws)."""
    rows = [counts.summaries.index(name) for name in _SUMMARIES.values()]
    return pool(counts.values, patients, seeds, POOLED_MEASURES["iou"], counts.unseen)[rows]


def _exchanged(one: Counts, other: Counts, found: Floats, permutations: int) -> Floats:
    """Return a p-value a measure: exact over all exchanges, or by random ones (seeded) if there are too many."""
    patients = one.sizes.patients
    if patients < 2:
        return np.full(len(found), np.nan)
    both = Counts(np.concatenate([one.values, other.values], axis=2), one.classes, one.unseen, one.sizes)
    seeds = np.ones((1, one.sizes.seeds))
    exact = 2**patients <= permutations
    below, above, tried = np.zeros(len(found)), np.zeros(len(found)), 0
    for swapped in _exchanges(patients, permutations, exact):
        kept = ~swapped
        left = _means(both, np.hstack([kept, swapped]).astype(float), seeds)
        right = _means(both, np.hstack([swapped, kept]).astype(float), seeds)
        # Equal sums may differ in the last digit.
        slack = 1e-12
        below += (left - right <= found[:, None] + slack).sum(axis=1)
        above += (left - right >= found[:, None] - slack).sum(axis=1)
        tried += len(swapped)
    more = 0 if exact else 1
    p_values: Floats = np.minimum(1.0, 2 * (np.minimum(below, above) + more) / (tried + more))
    return np.where(np.isnan(found), np.nan, p_values)


def _exchanges(patients: int, permutations: int, exact: bool) -> Iterator[NDArray[np.bool_]]:
    """Yield which patients are exchanged, (exchanges, patients), a batch at a time."""
    generator = np.random.default_rng(patients)
    total = 2**patients if exact else permutations
    for start in range(0, total, BATCH):
        size = min(BATCH, total - start)
        if exact:
            yield (np.arange(start, start + size)[:, None] >> np.arange(patients)) & 1 == 1
        else:
            yield generator.random((size, patients)) < 0.5
