"""An image with one strong edge, and recipes by name."""

from __future__ import annotations

from typing import Any

import numpy as np

from mmseg_ext.suite.superpixel_recipe import SuperpixelRecipe, read_recipe

ALGORITHMS = ["slic_opencv", "slic_skimage", "lsc", "seeds", "felzenszwalb"]


def recipe(algorithm: str, **settings: Any) -> SuperpixelRecipe:
    """Return a recipe; `segments` is left out where an algorithm has none, and small images get small parts."""
    if algorithm == "felzenszwalb":
        settings = {"min_size": 20, "scale": 5.0, **{key: settings[key] for key in settings if key != "segments"}}
    return read_recipe({"algorithm": algorithm, **settings}, "test")


def disc(height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Return a slightly noisy bright disc (float64 in [0, 1]) and its labels (uint8)."""
    rows, columns = np.mgrid[:height, :width]
    labels = (np.hypot(rows - 0.55 * height, columns - 0.45 * width) < 0.3 * min(height, width)).astype(np.uint8)
    noise = np.random.default_rng(0).normal(0, 0.04, labels.shape)
    return np.clip(0.2 + 0.6 * labels + noise, 0, 1), labels
