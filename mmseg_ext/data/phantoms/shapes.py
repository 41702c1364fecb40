"""Shapes in space as signed distances, and how much of every grid point they cover.

A point covers from 0 to 1 as its signed distance to the surface goes from half a width outside to half a
width inside, so a grid as coarse as a CT scan shows partial volume instead of steps.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np

Vector = tuple[float, float, float]

MARGIN = 25.0
"""How far from a shape, in mm, its distance is worked out."""
OUTSIDE = 50.0
"""A signed distance in mm that is outside any shape."""


@dataclass(frozen=True)
class Grid:
    """Coordinates in mm of every point: to the patient's right, to the front, and upwards."""

    x: np.ndarray
    y: np.ndarray
    z: np.ndarray
    width: float
    """Size of a point in mm, over which a surface is blurred."""

    def cover(self, distance: np.ndarray) -> np.ndarray:
        """Return the covered share of each point for a signed distance in mm, negative inside."""
        return np.clip(0.5 - distance / self.width, 0, 1)

    def ellipsoid(self, centre: Vector, radii: Vector, turn: float = 0.0) -> np.ndarray:
        """Return the first-order signed distance to an ellipsoid turned by `turn` radians about z."""
        reach = (max(radii[:2]), max(radii[:2]), radii[2])
        block, (x, y, z) = self._near(np.subtract(centre, reach), np.add(centre, reach))
        x, y, z = x - np.float32(centre[0]), y - np.float32(centre[1]), z - np.float32(centre[2])
        cos, sin = np.float32(np.cos(turn)), np.float32(np.sin(turn))
        u, v, w = (cos * x + sin * y) / radii[0], (cos * y - sin * x) / radii[1], z / radii[2]
        level = np.sqrt(u * u + v * v + w * w)
        slope = np.sqrt((u / radii[0]) ** 2 + (v / radii[1]) ** 2 + (w / radii[2]) ** 2)
        # Level over slope tends to a radius where both vanish, at the centre.
        scale = (level + 1e-6) / (slope + 1e-6 / max(radii))
        return self._placed(block, (level - 1) * scale)

    def cylinder(self, centre: tuple[float, float], radii: tuple[float, float], power: float = 2.0) -> np.ndarray:
        """Return about the signed distance to an upright superelliptic cylinder."""
        u = np.abs((self.x - np.float32(centre[0])) / np.float32(radii[0]))
        v = np.abs((self.y - np.float32(centre[1])) / np.float32(radii[1]))
        level = (u**power + v**power) ** (1 / power)
        return (level - 1) * np.float32(min(radii))

    def tube(self, points: list[Vector], radii: list[float]) -> np.ndarray:
        """Return the signed distance to a tube along a polyline, its radius going from point to point."""
        reach = max(radii)
        block, place = self._near(np.min(points, axis=0) - reach, np.max(points, axis=0) + reach)
        nearest = np.full(place[0].shape, np.inf, np.float32)
        for (start, first), (end, last) in pairwise(zip(points, radii, strict=True)):
            step = np.subtract(end, start).astype(np.float32)
            x, y, z = (axis - np.float32(value) for axis, value in zip(place, start, strict=True))
            along = np.clip((x * step[0] + y * step[1] + z * step[2]) / (step @ step), 0, 1)
            gap = np.sqrt((x - along * step[0]) ** 2 + (y - along * step[1]) ** 2 + (z - along * step[2]) ** 2)
            nearest = np.minimum(nearest, gap - (np.float32(first) + along * np.float32(last - first)))
        return self._placed(block, nearest)

    @cached_property
    def _planes(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """For each axis, the smallest and largest coordinate in every plane across it."""
        across = ((self.x, (1, 2)), (self.y, (0, 2)), (self.z, (0, 1)))
        return [(values.min(axes), values.max(axes)) for values, axes in across]

    def _near(self, low: np.ndarray, high: np.ndarray) -> tuple[tuple[slice, ...], list[np.ndarray]]:
        """Return the block of points that holds a box and `MARGIN` around it, and the coordinates there.

        Most shapes are small, and distances far from them are not needed.
        """
        block = []
        for (smallest, largest), start, stop in zip(self._planes, low - MARGIN, high + MARGIN, strict=True):
            inside = np.flatnonzero((largest >= start) & (smallest <= stop))
            block.append(slice(inside[0], inside[-1] + 1) if len(inside) else slice(0, 0))
        return tuple(block), [axis[tuple(block)] for axis in (self.x, self.y, self.z)]

    def _placed(self, block: tuple[slice, ...], distance: np.ndarray) -> np.ndarray:
        """Return distances in a block as distances everywhere: outside it they are `OUTSIDE`."""
        everywhere = np.full(self.x.shape, OUTSIDE, np.float32)
        everywhere[block] = distance
        return everywhere


def joined(first: np.ndarray, second: np.ndarray, smooth: float) -> np.ndarray:
    """Return the signed distance to the union of two shapes, rounded over `smooth` mm where they meet."""
    blend = np.clip(0.5 + 0.5 * (second - first) / smooth, 0, 1)
    return second + (first - second) * blend - smooth * blend * (1 - blend)
