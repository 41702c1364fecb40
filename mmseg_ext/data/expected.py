"""Whether a data set has the cases its card says it has."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd


def differing_counts(expected: Mapping[str, int], splits: pd.DataFrame) -> str:
    """Return in words which numbers of cases are not the expected ones; empty if all are.

    Args:
        expected: Cases by subset, or under `all` in all.
        splits: A row a case with the column subset.
    """
    found = {"all": len(splits), **splits["subset"].value_counts().to_dict()}
    wrong = [f"{name} {found.get(name, 0)} of {count}" for name, count in expected.items() if found.get(name) != count]
    return ", ".join(wrong)
