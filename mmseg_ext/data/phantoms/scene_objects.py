"""Textured objects on textured ground, for zero-shot segmentation: what a class looks like.

A class is a texture and a shape; its name is both, `striped_circle`. Colours are drawn for each object and say nothing
of its class. The scale of a texture follows the object's radius, so that an object looks alike in a close-up and in a
scene. Ground is made of smooth noise and waves, so that stripes alone are no object.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from mmseg_ext.data.phantoms.random_fields import smooth_field

TEXTURES = ("plain", "striped", "checkered", "dotted")
SHAPES = ("circle", "triangle", "cross")
CLASSES = tuple(f"{texture}_{shape}" for shape in SHAPES for texture in TEXTURES)
"""Class names; the position plus 1 is the class id."""
_CONTRAST = 0.5
"""Least distance between the two colours of an object, in RGB from 0 to 1; half of it to what is behind the object."""
_EDGE = 0.7
"""Width in pixels over which an object's border is blurred."""


@dataclass(frozen=True)
class Placed:
    """One object in an image."""

    class_id: int
    centre: tuple[float, float]
    """Row and column in pixels."""
    radius: float
    """In pixels; all shapes have about the same area for the same radius."""

    @property
    def name(self) -> str:
        """Class name."""
        return CLASSES[self.class_id - 1]


def ground(rng: np.random.Generator, side: int) -> np.ndarray:
    """Return (side, side, 3) float32 ground in [0, 1]."""
    rows, columns = _grid(side)
    colours = rng.uniform(0.1, 0.9, (2, 3))
    angle, waves = rng.uniform(0, np.pi), rng.uniform(0.5, 2.5)
    phase = (np.cos(angle) * rows + np.sin(angle) * columns) * (2 * np.pi * waves / side)
    mixed = 0.5 + 0.22 * smooth_field(rng, (side, side), (5, 5)) + 0.15 * np.sin(phase + rng.uniform(0, 2 * np.pi))
    share = np.clip(mixed, 0, 1)[..., None].astype(np.float32)
    return (colours[0] + (colours[1] - colours[0]) * share).astype(np.float32)


def paint(rng: np.random.Generator, image: np.ndarray, placed: Placed) -> np.ndarray:
    """Paint an object over an image (side, side, 3) in place; return the pixels it covers, (side, side) bool."""
    shape_index, texture_index = divmod(placed.class_id - 1, len(TEXTURES))
    reach = int(np.ceil(1.5 * placed.radius)) + 2
    top, left = (max(0, int(place) - reach) for place in placed.centre)
    bottom, right = (min(len(image), int(place) + reach) for place in placed.centre)
    rows, columns = _grid(len(image))
    y = (rows[top:bottom, left:right] - placed.centre[0]) / placed.radius
    x = (columns[top:bottom, left:right] - placed.centre[1]) / placed.radius
    turn, grain = rng.uniform(-0.45, 0.45), rng.uniform(0, np.pi)
    distance = _distance(SHAPES[shape_index], *_rotate(y, x, turn))
    share = _texture(rng, TEXTURES[texture_index], *_rotate(y, x, grain))[..., None]
    region = image[top:bottom, left:right]
    colours = _two_colours(rng, region.mean((0, 1)))
    cover = np.clip(0.5 - distance * placed.radius / _EDGE, 0, 1)[..., None].astype(np.float32)
    region += cover * (colours[0] + (colours[1] - colours[0]) * share - region)
    covered = np.zeros(image.shape[:2], bool)
    covered[top:bottom, left:right] = distance < 0
    return covered


def finish_image(rng: np.random.Generator, image: np.ndarray) -> np.ndarray:
    """Return an image as uint8, with sensor noise."""
    noisy = image + np.float32(0.03) * rng.standard_normal(image.shape, dtype=np.float32)
    return np.rint(np.clip(noisy, 0, 1) * 255).astype(np.uint8)


@cache
def _grid(side: int) -> tuple[np.ndarray, np.ndarray]:
    rows, columns = np.mgrid[:side, :side].astype(np.float32)
    return rows, columns


def _rotate(y: np.ndarray, x: np.ndarray, angle: float) -> tuple[np.ndarray, np.ndarray]:
    cos, sin = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    return cos * y - sin * x, sin * y + cos * x


def _distance(shape: str, y: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Return about the signed distance to a shape of radius 1, negative inside."""
    match shape:
        case "circle":
            return np.hypot(y, x) - 1
        case "triangle":
            height, slant = np.float32(0.72), np.float32(np.sqrt(3) / 2)
            return np.maximum(y - height, slant * np.abs(x) - y / 2 - height)
        case _:
            long, short = np.float32(1.2), np.float32(0.5)
            upright = np.maximum(np.abs(y) - long, np.abs(x) - short)
            return np.minimum(upright, np.maximum(np.abs(x) - long, np.abs(y) - short))


def _texture(rng: np.random.Generator, texture: str, y: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Return the share of the second colour, (h, w) float32 in [0, 1]; coordinates in radii."""
    period, shift = rng.uniform(0.45, 0.6), rng.uniform(0, 1, 2)
    match texture:
        case "plain":
            return np.zeros_like(y)
        case "striped":
            return (((y / period + shift[0]) % 1) < 0.5).astype(np.float32)
        case "checkered":
            wide = period * 1.4
            odd = np.floor(y * 2 / wide + shift[0]) + np.floor(x * 2 / wide + shift[1])
            return (odd % 2).astype(np.float32)
        case _:
            near = np.hypot((y / period + shift[0]) % 1 - 0.5, (x / period + shift[1]) % 1 - 0.5)
            return (near < 0.3).astype(np.float32)


def _two_colours(rng: np.random.Generator, behind: np.ndarray) -> np.ndarray:
    """Return two colours (2, 3) that differ from each other, the first also from what is behind the object."""
    while True:
        colours = rng.uniform(0, 1, (2, 3)).astype(np.float32)
        gaps = np.linalg.norm(colours[0] - np.stack([colours[1], behind]), axis=1)
        if gaps[0] > _CONTRAST and gaps[1] > _CONTRAST / 2:
            return colours
