"""Cases whose size or spacing stands apart from the others'."""

from __future__ import annotations

import numpy as np

MAX_SCORE = 3.5
"""Greatest modified z-score that is no outlier (Iglewicz and Hoaglin, How to Detect and Handle Outliers, 1993)."""
MIN_RATIO = 1.25
"""An outlier is also larger than the median, or smaller, by this factor: tiny differences are not reported."""
MIN_VALUES = 8
"""With fewer values none is called an outlier."""
_NORMAL_MAD = 1.4826
_NORMAL_MEAN_DEVIATION = 1.2533


def outliers(values: np.ndarray) -> np.ndarray:
    """Return which values are outliers on a logarithmic scale.

    The modified z-score is the distance from the median over 1.4826 times the median absolute deviation; where
    that is 0, because most values are equal, over 1.2533 times the mean absolute deviation. Both factors make the
    denominator the standard deviation of normal data.

    Args:
        values: (n,) positive numbers; NaN is no outlier.

    Returns:
        (n,) booleans.
    """
    known = np.isfinite(values)
    if known.sum() < MIN_VALUES:
        return np.zeros(len(values), bool)
    logs = np.log(np.where(known, values, 1.0))
    apart = np.abs(logs - np.median(logs[known]))
    scale = _NORMAL_MAD * np.median(apart[known]) or _NORMAL_MEAN_DEVIATION * apart[known].mean()
    if scale == 0:
        return np.zeros(len(values), bool)
    return known & (apart / scale > MAX_SCORE) & (apart > np.log(MIN_RATIO))
