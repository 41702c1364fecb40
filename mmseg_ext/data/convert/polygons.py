"""Masks written as polygons, as COCO has them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from skimage.draw import polygon


def from_polygons(outlines: Any, shape: tuple[int, int]) -> np.ndarray:
    """Return the mask of one object: all polygons of it united.

    A pixel belongs to a polygon if its centre lies inside or on it, where the centre of the pixel in row r and column c
    is (c + 0.5, r + 0.5). Where an outline crosses itself, inside is what the even-odd rule says. What lies outside the
    image is cut off, and a polygon between the centres of pixels has none; holes cannot be written this way.

    Args:
        outlines: Lists [x1, y1, x2, y2, …] in pixels from the top left corner of the image.
        shape: Height and width.

    Returns:
        (H, W) booleans.

    Raises:
        ValueError: If there is no polygon, or one is no list of at least three points or lies wholly outside the image.
    """
    if not isinstance(outlines, list) or not outlines:
        raise ValueError("no polygon")
    mask = np.zeros(shape, bool)
    for outline in outlines:
        points = _points(outline)
        if (points.max(0) <= 0).any() or (points.min(0) >= shape[::-1]).any():
            (left, top), (right, bottom) = points.min(0).tolist(), points.max(0).tolist()
            place = f"x from {left:g} to {right:g}, y from {top:g} to {bottom:g}"
            raise ValueError(f"a polygon outside the {shape[1]} x {shape[0]} pixels of the image: {place}")
        # skimage counts from the centre of the first pixel, COCO from its corner.
        mask[polygon(points[:, 1] - 0.5, points[:, 0] - 0.5, shape)] = True
    return mask


def _points(outline: Sequence[float]) -> np.ndarray:
    """Return the points of a polygon: (N, 2) of x and y."""
    if not isinstance(outline, list) or any(type(number) not in (int, float) for number in outline):
        raise ValueError("a polygon that is no list of numbers")
    if len(outline) % 2:
        raise ValueError(f"a polygon of {len(outline)} numbers, not pairs of x and y")
    if len(outline) < 6:
        raise ValueError(f"a polygon of {len(outline) // 2} points, not at least 3")
    if not np.isfinite(outline).all():
        raise ValueError("a polygon with a coordinate that is not finite")
    return np.array(outline, float).reshape(-1, 2)
