"""Views of a slice that differ in place and shape, as the code of PCL and SuperCL draws them."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

REFERENCE = 512
"""Input size, in pixels, that the published lengths of the elastic deformation are meant for."""


@dataclass(frozen=True)
class SpatialChange:
    """Mirror images, then elastic deformation, rotation and scaling; what comes from outside is 0.

    The elastic displacement is a field of uniform noise, smoothed and multiplied. Its lengths are given for an input
    of 512 pixels and scale with the input (ours; the published inputs are 512 and 192).
    """

    mirror: float = 0.5
    """Share of images mirrored, for each axis."""
    probability: float = 0.67
    """Share of images that are deformed, rotated and scaled."""
    elastic_amount: tuple[float, float] = (100.0, 350.0)
    """Range of the factor of the smoothed noise."""
    elastic_smoothing: tuple[float, float] = (14.0, 17.0)
    """Range of the standard deviation of the smoothing, in pixels."""
    rotation: tuple[float, float] = (0.0, 360.0)
    """Range of the angle in degrees."""
    scaling: tuple[float, float] = (0.7, 1.3)
    """Range of the factor of all distances from the centre; more than 1 shrinks what is seen."""

    def __call__(self, rng: np.random.Generator, images: list[np.ndarray]) -> list[np.ndarray]:
        """Return changed copies of images (H, W, C) float32 in [0, 1], all changed alike."""
        height, width = images[0].shape[:2]
        for axis in (0, 1):
            if rng.random() < self.mirror:
                images = [np.flip(image, axis) for image in images]
        if rng.random() >= self.probability:
            return [np.ascontiguousarray(image) for image in images]
        rows, columns = self._places(rng, height, width)
        moved = [
            cv2.remap(np.ascontiguousarray(image), columns, rows, cv2.INTER_CUBIC, borderMode=cv2.BORDER_CONSTANT)
            for image in images
        ]
        # Cubic interpolation overshoots at edges.
        return [np.clip(image, 0, 1).reshape(height, width, -1) for image in moved]

    def _places(self, rng: np.random.Generator, height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
        """Return row and column (H, W) float32 of the image that each pixel shows."""
        rows, columns = np.meshgrid(
            np.arange(height) - (height - 1) / 2, np.arange(width) - (width - 1) / 2, indexing="ij"
        )
        size = max(height, width) / REFERENCE
        # Smoothing over twice the length halves the noise's height, so that lengths scale with the square of it.
        amount, sigma = rng.uniform(*self.elastic_amount) * size**2, rng.uniform(*self.elastic_smoothing) * size
        shifts = [
            amount
            * cv2.GaussianBlur(rng.uniform(-1, 1, (height, width)), (0, 0), sigma, borderType=cv2.BORDER_CONSTANT)
            for _ in range(2)
        ]
        rows, columns = rows + shifts[0], columns + shifts[1]
        angle, factor = np.deg2rad(rng.uniform(*self.rotation)), rng.uniform(*self.scaling)
        turned = (
            factor * (np.cos(angle) * rows - np.sin(angle) * columns) + (height - 1) / 2,
            factor * (np.sin(angle) * rows + np.cos(angle) * columns) + (width - 1) / 2,
        )
        return turned[0].astype(np.float32), turned[1].astype(np.float32)
