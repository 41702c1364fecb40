"""How stable the order of methods is when patients and seeds are drawn anew, and which methods cannot be told apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from mmseg_ext.analysis.bootstrap import Floats, Sizes, mean, replicates, tabulate
from mmseg_ext.analysis.measures import (
    COMPARED_MEASURES,
    HARMONIC_IOU,
    UNSEEN_IOU,
    macro_cases,
    orientation,
    select,
)
from mmseg_ext.analysis.pooled_differences import common, pooled_replicates

GROUP = ["track", "task", "dataset", "condition", "protocol"]
RANK_COLUMNS = [*GROUP, "measure", "method", "mean", "rank", "frequency", "letters", "n_patients", "n_seeds"]


def rank_table(
    cases: pd.DataFrame, comparisons: pd.DataFrame, resamples: int, unseen: Mapping[str, Sequence[str]] | None = None
) -> pd.DataFrame:
    """Return, for every method and rank, the share of resamples in which the method has that rank.

    Methods are ranked by their mean over the cases and seeds that all of them have; tied methods share the better
    rank. Methods with a letter in common are not separable (`group_letters`). Where no case and seed is common to
    all methods there are no rows.

    Args:
        cases: CASE_COLUMNS.
        comparisons: Result of `comparison_table`.
        resamples: Bootstrap resamples.
        unseen: Unseen classes by task; tasks without any may be left out.
    """
    rows: list[dict[str, Any]] = []
    for key, group in cases.groupby(GROUP, sort=True):
        name = dict(zip(GROUP, key, strict=True))
        if group["method"].nunique() < 2:
            continue
        family = {key: name[key] for key in ("track", "task", "dataset", "protocol")}
        tests = select(comparisons, kind="methods", held=name["condition"], **family)
        scored = [_macro_scores(group, measure, resamples) for measure in COMPARED_MEASURES]
        if hidden := (unseen or {}).get(str(name["task"])):
            scored += _pooled_scores(group, hidden, resamples)
        for one in scored:
            if one.means:
                rows += [{**name, **row} for row in _ranked(one, select(tests, measure=one.measure))]
    return pd.DataFrame(rows, columns=RANK_COLUMNS)


@dataclass(frozen=True)
class _Scores:
    """Means of all methods in one measure over the cases and seeds that all have; empty if there are none."""

    measure: str
    means: dict[str, float]
    replicates: dict[str, Floats]
    """(resamples,) by method."""
    sizes: Sizes


def _macro_scores(group: pd.DataFrame, measure: str, resamples: int) -> _Scores:
    wide = macro_cases(group).pivot_table(index=["patient", "case", "seed"], columns="method", values=measure)
    methods: list[str] = sorted(set(group["method"]))
    wide = wide.reindex(columns=methods).dropna().reset_index()
    if wide.empty:
        return _Scores(measure, {}, {}, Sizes(0, 0, 0))
    samples = {method: tabulate(wide[["patient", "case", "seed", method]], method) for method in methods}
    return _Scores(
        measure,
        {method: mean(sample) for method, sample in samples.items()},
        {method: replicates(sample, resamples) for method, sample in samples.items()},
        samples[methods[0]].sizes,
    )


def _pooled_scores(group: pd.DataFrame, unseen: Sequence[str], resamples: int) -> list[_Scores]:
    parts = {str(method): part for method, part in group.groupby("method", sort=True)}
    shared = dict(zip(parts, common(*parts.values()), strict=True))
    if any(part.empty for part in shared.values()):
        return []
    found = {method: pooled_replicates(part, unseen, resamples) for method, part in shared.items()}
    first = next(iter(shared.values()))
    sizes = Sizes(*(first[column].nunique() for column in ("case", "patient", "seed")))
    return [
        _Scores(
            measure,
            {method: one[measure][0] for method, one in found.items()},
            {method: one[measure][1] for method, one in found.items()},
            sizes,
        )
        for measure in (UNSEEN_IOU, HARMONIC_IOU)
    ]


def _ranked(scores: _Scores, tests: pd.DataFrame) -> list[dict[str, Any]]:
    methods, means = list(scores.means), list(scores.means.values())
    frequencies = rank_frequencies(np.stack(list(scores.replicates.values())), scores.measure)
    apart = {frozenset((str(row.a), str(row.b))) for row in tests.itertuples() if row.separable}
    order = np.argsort(-orientation(scores.measure) * np.array(means), kind="stable")
    letters = group_letters([methods[index] for index in order], apart)
    return [
        {
            "measure": scores.measure,
            "method": methods[index],
            "mean": means[index],
            "rank": rank + 1,
            "frequency": frequencies[index, rank],
            "letters": letters[methods[index]],
            "n_patients": scores.sizes.patients,
            "n_seeds": scores.sizes.seeds,
        }
        for index in order
        for rank in range(len(methods))
    ]


def rank_frequencies(means: Floats, measure: str) -> Floats:
    """Return how often each method takes each rank, (methods, ranks); every row sums to 1.

    Args:
        means: (methods, resamples).
        measure: Decides which way is better.
    """
    defined = means[:, ~np.isnan(means).any(axis=0)]
    ranks = stats.rankdata(-orientation(measure) * defined, method="min", axis=0)
    return np.stack([np.mean(ranks == rank, axis=1) for rank in range(1, len(means) + 1)], axis=1)


def group_letters(methods: list[str], apart: set[frozenset[str]]) -> dict[str, str]:
    """Return letters per method such that two methods share one exactly when they are not separable.

    Args:
        methods: Best first; the best gets the first letter.
        apart: Pairs that are separable.
    """
    near = {
        one: {other for other in methods if other != one and frozenset((one, other)) not in apart} for one in methods
    }
    cliques = sorted(_cliques(set(), set(methods), set(), near), key=lambda one: sorted(map(methods.index, one)))
    return {
        method: "".join(_letter(index) for index, clique in enumerate(cliques) if method in clique)
        for method in methods
    }


def _cliques(chosen: set[str], candidates: set[str], excluded: set[str], near: dict[str, set[str]]) -> list[set[str]]:
    """Return the maximal sets of methods of which no two are separable (Bron and Kerbosch, 1973)."""
    if not candidates and not excluded:
        return [chosen]
    found: list[set[str]] = []
    for method in sorted(candidates):
        found += _cliques(chosen | {method}, candidates & near[method], excluded & near[method], near)
        candidates = candidates - {method}
        excluded = excluded | {method}
    return found


def _letter(index: int) -> str:
    return chr(ord("a") + index) if index < 26 else f"({index + 1})"
