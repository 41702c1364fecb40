"""Runs that should differ but predict the same."""

from __future__ import annotations

import pandas as pd


def same_predictions(variants: pd.DataFrame) -> list[tuple[str, list[str]]]:
    """Return the groups of runs of one task and variant whose predictions have the same hash.

    Runs of one task predict the same cases; if two of them agree to the last pixel, a setting in which they differ
    (method, condition, seed) had no effect, or neither learnt anything.

    Args:
        variants: Columns run, task, variant, predictions_sha256.

    Returns:
        (variant, runs) of each group, sorted.
    """
    groups = variants.groupby(["task", "variant", "predictions_sha256"], sort=True)["run"]
    return sorted((str(key[1]), sorted(runs)) for key, runs in groups if len(set(runs)) > 1)
