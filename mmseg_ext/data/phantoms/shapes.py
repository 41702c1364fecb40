"""Shapes in space as signed distances, and how much of every grid point they cover.

A point covers from 0 to 1 as its signed distance to the surface goes from half a width outside to half a
width inside, so a grid as coarse as a CT scan shows partial volume instead of steps.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

Vector = tuple[float, float, float]


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
        x, y = self.x - np.float32(centre[0]), self.y - np.float32(centre[1])
        if turn:
            cos, sin = np.float32(np.cos(turn)), np.float32(np.sin(turn))
            x, y = cos * x + sin * y, cos * y - sin * x
        u, v = x / np.float32(radii[0]), y / np.float32(radii[1])
        w = (self.z - np.float32(centre[2])) / np.float32(radii[2])
        level = np.sqrt(u * u + v * v + w * w)
        slope = np.sqrt((u / radii[0]) ** 2 + (v / radii[1]) ** 2 + (w / radii[2]) ** 2)
        return ((level - 1) * level / np.maximum(slope, np.float32(1e-3))).astype(np.float32)

    def cylinder(self, centre: tuple[float, float], radii: tuple[float, float], power: float = 2.0) -> np.ndarray:
        """Return about the signed distance to an upright superelliptic cylinder."""
        u = np.abs((self.x - np.float32(centre[0])) / np.float32(radii[0]))
        v = np.abs((self.y - np.float32(centre[1])) / np.float32(radii[1]))
        level = (u**power + v**power) ** (1 / power)
        return (level - 1) * np.float32(min(radii))

    def tube(self, points: list[Vector], radii: list[float]) -> np.ndarray:
        """Return the signed distance to a tube along a polyline, its radius going from point to point."""
        nearest = np.full(self.z.shape, np.inf, np.float32)
        for start, end, first, last in zip(points, points[1:], radii, radii[1:], strict=False):
            step = np.subtract(end, start).astype(np.float32)
            x, y, z = (
                self.x - np.float32(start[0]),
                self.y - np.float32(start[1]),
                self.z - np.float32(start[2]),
            )
            along = np.clip((x * step[0] + y * step[1] + z * step[2]) / (step @ step), 0, 1)
            gap = np.sqrt((x - along * step[0]) ** 2 + (y - along * step[1]) ** 2 + (z - along * step[2]) ** 2)
            nearest = np.minimum(nearest, gap - (np.float32(first) + along * np.float32(last - first)))
        return nearest


def joined(first: np.ndarray, second: np.ndarray, smooth: float) -> np.ndarray:
    """Return the signed distance to the union of two shapes, rounded over `smooth` mm where they meet."""
    blend = np.clip(0.5 + 0.5 * (second - first) / smooth, 0, 1)
    return second + (first - second) * blend - smooth * blend * (1 - blend)
