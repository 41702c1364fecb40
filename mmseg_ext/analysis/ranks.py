"""How stable the order of methods is when patients and seeds are drawn anew, and which methods cannot be told apart."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from mmseg_ext.analysis.bootstrap import Floats, mean, replicates, tabulate
from mmseg_ext.analysis.measures import compared_measures, orientation, select

GROUP = ["track", "task", "dataset", "condition", "protocol"]
RANK_COLUMNS = [*GROUP, "measure", "method", "mean", "rank", "frequency", "letters", "n_patients", "n_seeds"]


def rank_table(macro: pd.DataFrame, comparisons: pd.DataFrame, resamples: int) -> pd.DataFrame:
    """Return, for every method and rank, the share of resamples in which the method has that rank.

    Methods are ranked by their mean over the cases and seeds that all of them have; tied methods share the better
    rank. Methods with a letter in common are not separable (`group_letters`). Where no case and seed is common to
    all methods there are no rows.

    Args:
        macro: Result of `macro_cases`.
        comparisons: Result of `comparison_table`.
        resamples: Bootstrap resamples.
    """
    rows: list[dict[str, Any]] = []
    for key, group in macro.groupby(GROUP, sort=True):
        name = dict(zip(GROUP, key, strict=True))
        for measure in compared_measures(group):
            rows += _ranked(name, group, measure, comparisons, resamples)
    return pd.DataFrame(rows, columns=RANK_COLUMNS)


def _ranked(
    name: dict[str, Any], group: pd.DataFrame, measure: str, comparisons: pd.DataFrame, resamples: int
) -> list[dict[str, Any]]:
    methods = sorted(set(group["method"]))
    wide = group.pivot_table(index=["patient", "case", "seed"], columns="method", values=measure)
    wide = wide.reindex(columns=methods).dropna().reset_index()
    if len(methods) < 2 or wide.empty:
        return []
    samples = [tabulate(wide[["patient", "case", "seed", method]], method) for method in methods]
    frequencies = rank_frequencies(np.stack([replicates(sample, resamples) for sample in samples]), measure)
    family = {key: name[key] for key in ("track", "task", "dataset", "protocol")}
    tests = select(comparisons, kind="methods", held=name["condition"], measure=measure, **family)
    apart = {frozenset((str(row.a), str(row.b))) for row in tests.itertuples() if row.separable}
    means = [mean(sample) for sample in samples]
    order = np.argsort(-orientation(measure) * np.array(means), kind="stable")
    letters = group_letters([methods[index] for index in order], apart)
    return [
        {
            **name,
            "measure": measure,
            "method": methods[index],
            "mean": means[index],
            "rank": rank + 1,
            "frequency": frequencies[index, rank],
            "letters": letters[methods[index]],
            "n_patients": samples[index].patients,
            "n_seeds": samples[index].seeds,
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
