"""Noise that lies where the image is fuzzy, and its control that lies anywhere along the border."""

from __future__ import annotations

import numpy as np

from mmseg_ext.data.border import signed_distance
from mmseg_ext.data.label_noise.outlines import smooth_noise
from mmseg_ext.suite.label_noise import FuzzyNoise, UniformNoise


def fuzzy(mask: np.ndarray, blur: np.ndarray, noise: FuzzyNoise, rng: np.random.Generator) -> np.ndarray:
    """Move the border of a mask (H, W) bool by a smooth process of deviation kappa times `blur` (H, W), in pixels."""
    process = smooth_noise(rng, mask.shape, noise.length)
    return signed_distance(mask) < noise.kappa * blur * process


def uniform(mask: np.ndarray, blur: np.ndarray, noise: UniformNoise, rng: np.random.Generator) -> np.ndarray:
    """Move the border by the process of `fuzzy`, with the one deviation that costs the same Dice to the truth.

    Same seed and kappa mean the same process and the same budget, image by image; bisection finds the deviation.
    """
    process, distance = smooth_noise(rng, mask.shape, noise.length), signed_distance(mask)
    budget = dice(distance < noise.kappa * blur * process, mask)
    low, high = 0.0, float(max(mask.shape))
    for _ in range(40):
        middle = (low + high) / 2
        if dice(distance < middle * process, mask) > budget:
            low = middle
        else:
            high = middle
    return distance < high * process


def dice(one: np.ndarray, other: np.ndarray) -> float:
    """Return the Dice coefficient of two masks, 1 where both are empty."""
    total = int(one.sum()) + int(other.sum())
    return 2 * int((one & other).sum()) / total if total else 1.0
