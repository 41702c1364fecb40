"""Stored values to the unit interval a network sees."""

from __future__ import annotations

import numpy as np


def to_unit(stored: np.ndarray, slope: float, intercept: float, low: float, high: float) -> np.ndarray:
    """Return `(stored * slope + intercept - low) / (high - low)` as float32, clipped to [0, 1]."""
    scale = slope / (high - low)
    unit = stored.astype(np.float32) * np.float32(scale) + np.float32((intercept - low) / (high - low))
    return np.clip(unit, 0, 1, out=unit)
