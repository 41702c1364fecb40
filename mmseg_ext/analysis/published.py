"""Numbers that papers printed."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from mmseg_ext.suite.errors import InputError


def read_published(table: Path) -> pd.DataFrame:
    """Return the rows of `configs/published/<paper>.csv` as text.

    Raises:
        InputError: If there is no such file.
    """
    if not table.is_file():
        raise InputError(table, "file", "nothing", "the published numbers of the paper")
    return pd.read_csv(table, dtype=str)
