"""From stored grey values to the input range of a network."""

from __future__ import annotations

import numpy as np

from mmseg_ext.suite.dataset_card import Intensity, Window


def limits(values: np.ndarray, intensity: Intensity) -> tuple[float, float]:
    """Return the physical values of one case that become 0 and 1.

    Where the two percentiles coincide (a few bright pixels on a flat background) the extremes take their
    place; a constant case gets limits one apart and becomes 0 everywhere.

    Args:
        values: Physical values of a whole case, of any shape.
        intensity: Fixed window or percentiles.
    """
    if isinstance(intensity, Window):
        return intensity.low, intensity.high
    low, high = (float(value) for value in np.percentile(values, [intensity.low, intensity.high]))
    if low == high:
        low, high = float(values.min()), float(values.max())
    return (low, high) if low < high else (low, low + 1)


def to_unit(stored: np.ndarray, slope: float, intercept: float, low: float, high: float) -> np.ndarray:
    """Return stored values as network input.

    Args:
        stored: Stored values of any shape.
        slope: Physical value of one step of the stored values.
        intercept: Physical value of a stored 0.
        low: Physical value that becomes 0; smaller ones too.
        high: Physical value that becomes 1; larger ones too.

    Returns:
        float32 array of the same shape in [0, 1].
    """
    physical = stored.astype(np.float32) * np.float32(slope) + np.float32(intercept)
    return np.clip((physical - np.float32(low)) / np.float32(high - low), 0, 1)
