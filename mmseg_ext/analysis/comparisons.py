"""Paired comparisons of methods, and of the conditions of one method.

The test is the sign-flip permutation test of the mean difference: unlike Wilcoxon's, its null is about the very
quantity whose interval stands beside it, and it keeps ties. Pooled measures of tasks with unseen classes have their own
(`pooled_differences`). A pair is a patient: seeds and the cases of a patient are averaged, or summed, first, since they
are not independent.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from mmseg_ext.analysis.bootstrap import Difference, Floats, Sample, estimate, tabulate
from mmseg_ext.analysis.measures import (
    COMPARED_MEASURES,
    HARMONIC_IOU,
    UNSEEN_IOU,
    macro_cases,
    orientation,
)
from mmseg_ext.analysis.pooled_differences import pooled_differences

ALPHA = 0.05
PERMUTATIONS = 9999
"""Sign patterns of a test at the least."""
BATCH = 2000
"""Sign patterns held at a time."""
COMPARISON_COLUMNS = [
    "kind", "track", "task", "dataset", "protocol", "held", "measure", "a", "b", "difference", "ci_low", "ci_high",
    "ci_kind", "n_cases", "n_patients", "n_seeds", "superiority", "p", "p_holm", "separable",
]  # fmt: skip


def comparison_table(
    cases: pd.DataFrame, resamples: int, unseen: Mapping[str, Sequence[str]] | None = None
) -> pd.DataFrame:
    """Compare every pair of methods under each condition, and every pair of conditions of each method.

    They are compared by macro DSC and NSD, and on tasks with unseen classes by pooled UNSEEN_IOU and HARMONIC_IOU too.

    Holm's correction is over a family: all pairs and measures of one task, data set and protocol, under one condition
    where methods are compared, over all methods where conditions are. A pair is separable if the corrected p-value is
    below ALPHA, the interval excludes 0, and both were trained with two seeds or more: the test speaks of these trained
    networks, only an interval over seeds speaks of others.

    Args:
        cases: CASE_COLUMNS.
        resamples: Bootstrap resamples.
        unseen: Unseen classes by task; tasks without any may be left out.
    """
    rows: list[dict[str, Any]] = []
    for kind, varied, held in (("methods", "method", "condition"), ("conditions", "condition", "method")):
        family = ["track", "task", "dataset", "protocol"] + (["condition"] if kind == "methods" else [])
        for _, members in cases.groupby(family, sort=True):
            groups = [group for _, group in members.groupby(held, sort=True)]
            hidden = (unseen or {}).get(members["task"].iloc[0], ())
            measures = [*COMPARED_MEASURES, *([UNSEEN_IOU, HARMONIC_IOU] if hidden else [])]
            size = len(measures) * sum(math.comb(group[varied].nunique(), 2) for group in groups)
            found = [
                {"kind": kind, **row}
                for group in groups
                for row in _pairs(group, varied, held, hidden, resamples, permutations_for(size))
            ]
            corrected = holm(np.array([row["p"] for row in found], dtype=float))
            for row, p_holm in zip(found, corrected, strict=True):
                excludes_zero = row["ci_low"] > 0 or row["ci_high"] < 0
                separable = p_holm < ALPHA and excludes_zero and row["n_seeds"] > 1
                rows.append({**row, "p_holm": p_holm, "separable": bool(separable)})
    return pd.DataFrame(rows, columns=COMPARISON_COLUMNS)


def permutations_for(comparisons: int) -> int:
    """Return how many sign patterns each test of a family of so many comparisons tries.

    The smallest p-value of n random patterns is 2 / (n + 1). Enough of them are tried for that, times the number of
    comparisons, to be a fifth of ALPHA; with too few nothing in a large family could be separable.
    """
    return max(PERMUTATIONS, math.ceil(2 * comparisons / (ALPHA / 5)) - 1)


def _pairs(
    group: pd.DataFrame, varied: str, held: str, unseen: Sequence[str], resamples: int, permutations: int
) -> Iterator[dict[str, Any]]:
    parts = {str(name): part for name, part in group.groupby(varied, sort=True)}
    macro = {name: macro_cases(part) for name, part in parts.items()}
    shared = {column: group.iloc[0][column] for column in ("track", "task", "dataset", "protocol")}
    for a, b in combinations(parts, 2):
        found = {
            measure: paired_difference(macro[a], macro[b], measure, resamples, permutations)
            for measure in COMPARED_MEASURES
        }
        if unseen:
            found |= pooled_differences(parts[a], parts[b], unseen, resamples, permutations)
        for measure, difference in found.items():
            yield {
                **shared,
                "held": group.iloc[0][held],
                "measure": measure,
                "a": a,
                "b": b,
                "difference": difference.estimate.mean,
                "ci_low": difference.estimate.low,
                "ci_high": difference.estimate.high,
                "ci_kind": difference.estimate.kind,
                "n_cases": difference.sizes.cases,
                "n_patients": difference.sizes.patients,
                "n_seeds": difference.sizes.seeds,
                "superiority": difference.superiority,
                "p": difference.p,
            }


def paired_difference(
    a: pd.DataFrame, b: pd.DataFrame, measure: str, resamples: int, permutations: int = PERMUTATIONS
) -> Difference:
    """Compare two sets of cases on the (case, seed) pairs in which the measure is defined for both.

    Args:
        a, b: Rows of `macro_cases`, each of one method and condition.
        measure: One of MEASURES.
        resamples: Bootstrap resamples.
        permutations: Sign patterns of the test.
    """
    keys = ["case", "patient", "seed"]
    both = a[[*keys, measure]].merge(b[[*keys, measure]], on=keys, suffixes=("_a", "_b"), validate="one_to_one")
    both["difference"] = both[f"{measure}_a"] - both[f"{measure}_b"]
    sample = tabulate(both, "difference")
    by_patient = _patient_means(sample)
    better = orientation(measure) * by_patient
    superiority = float(np.mean((better > 0) + 0.5 * (better == 0))) if len(better) else float("nan")
    return Difference(estimate(sample, resamples), sample.sizes, sign_flip(by_patient, permutations), superiority)


def _patient_means(sample: Sample) -> Floats:
    means: Floats = sample.sums.sum(axis=1) / sample.counts.sum(axis=1)
    return means


def sign_flip(differences: Floats, permutations: int = PERMUTATIONS) -> float:
    """Return the two-sided p-value of the sign-flip permutation test of a zero mean.

    Exact when there are no more than `permutations` sign patterns, else by that many random ones (seeded). NaN below
    two differences.
    """
    if len(differences) < 2:
        return float("nan")
    test = stats.permutation_test(
        (differences,),
        np.mean,
        permutation_type="samples",
        vectorized=True,
        n_resamples=permutations,
        batch=BATCH,
        rng=np.random.default_rng(len(differences)),
    )
    return float(test.pvalue)


def holm(p_values: Floats) -> Floats:
    """Return Holm's step-down adjusted p-values; a NaN stays NaN and does not count."""
    adjusted = np.full(len(p_values), np.nan)
    defined = np.flatnonzero(~np.isnan(p_values))
    order = defined[np.argsort(p_values[defined], kind="stable")]
    factors = len(order) - np.arange(len(order))
    adjusted[order] = np.minimum(np.maximum.accumulate(p_values[order] * factors), 1)
    return adjusted
