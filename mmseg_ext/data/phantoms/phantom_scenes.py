"""Scenes of one or two textured objects that may cover each other, and close-ups of single ones with captions.

Raw form of a scene: images/<case>.png (RGB), images/<case>.txt, a caption that names everything that can be seen, and
masks/<case>.png, class ids: 0 for the ground, and `scene_objects.CLASSES` from 1 on.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mmseg_ext.data.phantoms.random_fields import case_name, item_generator
from mmseg_ext.data.phantoms.scene_objects import CLASSES, Placed, finish_image, ground, paint
from mmseg_ext.data.prepared import write_image
from mmseg_ext.suite.dataset_card import Subset

SIDE = 96
"""Height and width of a scene in pixels."""
_OBJECTS = (0.4, 0.6)
"""Shares of scenes of one and two objects."""
_SEEN_SHARE = 0.01
"""An object of which less than this share of the scene can be seen is not in the caption."""
_EMPTY_CLOSE_UPS = 0.08
"""Share of close-ups that show ground only."""


def write_item(root: Path, subset: Subset, index: int, seed: int) -> None:
    """Write image, mask and caption of one scene below `root`."""
    rng = item_generator(subset, index, seed)
    image, labels = draw_scene(rng)
    name = case_name(subset, index)
    write_image(root / "images" / f"{name}.png", image)
    write_image(root / "masks" / f"{name}.png", labels)
    (root / "images" / f"{name}.txt").write_text(caption(labels) + "\n", encoding="utf-8")


def draw_scene(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return a scene (96, 96, 3) uint8 and its class ids (96, 96) uint8."""
    image, labels = ground(rng, SIDE), np.zeros((SIDE, SIDE), np.uint8)
    taken: list[Placed] = []
    for _ in range(1 + rng.choice(len(_OBJECTS), p=_OBJECTS)):
        placed = _place(rng, taken)
        taken.append(placed)
        labels[paint(rng, image, placed)] = placed.class_id
    return finish_image(rng, image), labels


def _place(rng: np.random.Generator, taken: Sequence[Placed]) -> Placed:
    """Return an object that leaves most of each earlier one in view, after a few tries."""
    class_id = int(rng.integers(1, len(CLASSES) + 1))
    for _ in range(20):
        radius = rng.uniform(0.2, 0.32) * SIDE
        row, column = rng.uniform(0.2, 0.8, 2) * SIDE
        placed = Placed(class_id, (float(row), float(column)), float(radius))
        gaps = [np.hypot(*np.subtract(placed.centre, one.centre)) - 0.8 * (radius + one.radius) for one in taken]
        if all(gap > 0 for gap in gaps):
            break
    return placed


def caption(labels: np.ndarray) -> str:
    """Return a sentence with the name of every object of which enough can be seen."""
    counts = np.bincount(labels.ravel(), minlength=len(CLASSES) + 1)[1:]
    seen = [describe(name) for name, count in zip(CLASSES, counts, strict=True) if count >= _SEEN_SHARE * labels.size]
    return " and ".join(seen) if seen else describe("background")


def describe(name: str) -> str:
    """Return the words of a class name: `striped_circle` is `a striped circle`."""
    return f"a {name.replace('_', ' ')}"


def draw_close_up(rng: np.random.Generator, side: int, class_ids: Sequence[int]) -> tuple[np.ndarray, int]:
    """Return a picture of one large object, or of none, and its class id, or 0.

    Args:
        rng: Source of all randomness.
        side: Height and width in pixels.
        class_ids: Classes to draw from.

    Returns:
        (side, side, 3) uint8 and the class id.
    """
    image = ground(rng, side)
    if rng.random() < _EMPTY_CLOSE_UPS:
        return finish_image(rng, image), 0
    radius = rng.uniform(0.22, 0.42) * side
    centre = side / 2 + rng.uniform(-0.08, 0.08, 2) * side
    placed = Placed(int(rng.choice(class_ids)), (float(centre[0]), float(centre[1])), float(radius))
    paint(rng, image, placed)
    return finish_image(rng, image), placed.class_id
