"""Tables of cases made of numbers, without files."""

from __future__ import annotations

import numpy as np
import pandas as pd
from support.fake_results import case_row

from mmseg_ext.suite.matrix import RunId


def frame_of(dsc: dict[str, np.ndarray], condition: str = "full", task: str = "livers") -> pd.DataFrame:
    """Return one row per method, seed and patient, one class, one case each.

    Args:
        dsc: (patients, seeds) by method.
        condition: Condition of all of them.
        task: Task and data set.
    """
    rows = [
        case_row(
            RunId("supervised", task, method, condition, seed),
            f"case_{patient:03d}",
            f"patient_{patient:03d}",
            1,
            dsc=values[patient, seed],
            nsd=values[patient, seed],
        )
        for method, values in dsc.items()
        for seed in range(values.shape[1])
        for patient in range(values.shape[0])
    ]
    return pd.DataFrame(rows)
