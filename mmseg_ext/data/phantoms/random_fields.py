"""Random numbers and smooth random fields the generators share."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
from scipy.interpolate import CubicSpline

from mmseg_ext.suite.dataset_card import Subset

_SUBSETS: tuple[Subset, ...] = ("train", "val", "test")


def item_generator(subset: Subset, index: int, seed: int) -> np.random.Generator:
    """Return the random generator of one item."""
    return np.random.Generator(np.random.PCG64([seed, _SUBSETS.index(subset), index]))


def case_name(subset: Subset, index: int) -> str:
    """Return the case name of one item."""
    return f"{subset}_{index:04d}"


def smooth_field(rng: np.random.Generator, shape: Sequence[int], knots: Sequence[int]) -> np.ndarray:
    """Return a smooth random field: normal values at `knots` points an axis, joined by cubic splines.

    Args:
        rng: Source of the values.
        shape: Shape of the field.
        knots: Number of knots along each axis (at least 2); more knots give a finer field.

    Returns:
        float32 array of `shape` with standard deviation of about 1.
    """
    field = rng.standard_normal(knots).astype(np.float32)
    for size, count in zip(shape, knots, strict=True):
        # Contracting the first axis appends the result as the last one: after all axes the order is back.
        field = np.tensordot(field, _splines(size, count), axes=(0, 1))
    return field


@cache
def _splines(size: int, count: int) -> np.ndarray:
    """Return the cubic spline of every knot at every place, (size, count) float32."""
    return CubicSpline(np.linspace(0, 1, count), np.eye(count))(np.linspace(0, 1, size)).astype(np.float32)
