"""Random changes of training images, a pure function of (seed, epoch, item).

Volumes are never mirrored, because the side of a body tells left organs from right ones; images that are no volumes
(skin, tissue, streets) are, left to right, half of the time. The fact `mirrored_share` carries this into a config.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from mmseg_ext.registry import TRANSFORMS


@TRANSFORMS.register_module()
@dataclass(frozen=True)
class Augmentation:
    """Ranges of the random changes; the defaults change nothing."""

    rotation: float = 0.0
    """Largest angle in degrees, either way."""
    scaling: float = 0.0
    """Largest relative change of size: 0.2 draws factors from 1 / 1.2 to 1.2."""
    shift: float = 0.0
    """Largest shift as a share of each side."""
    geometric_probability: float = 1.0
    """Share of the images that are rotated, scaled and shifted."""
    horizontal_flip: float = 0.0
    """Share of the images mirrored left to right."""
    brightness: float = 0.0
    """Largest value added; images lie in [0, 1]."""
    contrast: float = 0.0
    """Largest relative change of the distance to the mean value."""
    gamma: float = 0.0
    """Largest relative change of the exponent."""
    noise: float = 0.0
    """Largest standard deviation of Gaussian noise."""
    intensity_probability: float = 1.0
    """Share of the images to which each of the four is applied, independently."""

    def __call__(
        self, rng: np.random.Generator, image: np.ndarray, maps: Sequence[np.ndarray], size: tuple[int, int]
    ) -> tuple[np.ndarray, list[np.ndarray]]:
        """Return a changed image and its maps at the input size.

        Args:
            rng: Source of all randomness.
            image: (h, w[, C]) float32 in [0, 1], scaled to lie inside the input.
            maps: Integer maps (h, w) of 8 or 16 bits that follow the image.
            size: Height and width of the input; the image is centred in it, and 0 surrounds image and maps.
        """
        matrix = self._matrix(rng, image.shape[:2], size)
        image = cv2.warpAffine(image, matrix, size[::-1], flags=cv2.INTER_LINEAR)
        moved = [cv2.warpAffine(item, matrix, size[::-1], flags=cv2.INTER_NEAREST) for item in maps]
        return self._change_values(rng, image), moved

    def _matrix(self, rng: np.random.Generator, inner: tuple[int, ...], size: tuple[int, int]) -> np.ndarray:
        """Return the (2, 3) map from pixels of the image to pixels of the input."""
        angle = factor = down = right = 0.0
        if rng.random() < self.geometric_probability:
            angle, factor, down, right = rng.uniform(-1, 1, 4)
        turn = np.deg2rad(angle * self.rotation)
        zoom = (1 + self.scaling) ** factor
        mirror = -1.0 if rng.random() < self.horizontal_flip else 1.0
        linear = zoom * np.array([[mirror * np.cos(turn), -np.sin(turn)], [mirror * np.sin(turn), np.cos(turn)]])
        top_left = np.array([(size[1] - inner[1]) // 2, (size[0] - inner[0]) // 2])
        centre = (np.array(size[::-1]) - 1) / 2
        moved = np.array([right * size[1], down * size[0]]) * self.shift
        return np.column_stack([linear, linear @ (top_left - centre) + centre + moved])

    def _change_values(self, rng: np.random.Generator, image: np.ndarray) -> np.ndarray:
        chosen = rng.random(4) < self.intensity_probability
        amount = rng.uniform(-1, 1, 4)
        if self.gamma and chosen[0]:
            image = np.power(image, np.float32((1 + self.gamma) ** amount[0]))
        if self.contrast and chosen[1]:
            mean = image.mean(dtype=np.float32)
            image = (image - mean) * np.float32((1 + self.contrast) ** amount[1]) + mean
        if self.brightness and chosen[2]:
            image = image + np.float32(self.brightness * amount[2])
        if self.noise and chosen[3]:
            spread = np.float32(self.noise * abs(amount[3]))
            image = image + spread * rng.standard_normal(image.shape, dtype=np.float32)
        return image


def generator(seed: int, epoch: int, item: int) -> np.random.Generator:
    """Return the source of randomness of one training item in one epoch."""
    return np.random.Generator(np.random.PCG64([seed, epoch, item]))
