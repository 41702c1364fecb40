"""Views of a slice that differ in intensity only, as SuperCL's released code draws them."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np


@dataclass(frozen=True)
class IntensityChange:
    """Brightness, contrast and blur of an 8-bit copy, stretched to [0, 1] again.

    The stretching undoes brightness and contrast up to rounding, as the released code does too: what differs between
    two draws is blur and the grey levels that are left.
    """

    brightness: tuple[float, float] = (0.0, 1.0)
    """Range of the factor of all values."""
    contrast: tuple[float, float] = (0.8, 1.2)
    """Range of the factor of the distance to the mean."""
    blur: tuple[float, float] = (1.0, 3.0)
    """Range of the standard deviation of a Gaussian over 3 x 3 pixels, in pixels."""

    def __call__(self, rng: np.random.Generator, image: np.ndarray) -> np.ndarray:
        """Return a changed copy of an image (H, W, C) float32, in [0, 1]."""
        values = np.round(255 * stretched(image))
        values = np.floor(values * rng.uniform(*self.brightness))
        mean = values.mean()
        values = np.floor(np.clip((values - mean) * rng.uniform(*self.contrast) + mean, 0, 255))
        blurred = cv2.GaussianBlur(values.astype(np.float32), (3, 3), rng.uniform(*self.blur))
        return stretched(blurred.reshape(image.shape))


def stretched(image: np.ndarray) -> np.ndarray:
    """Return an image with its smallest value at 0 and its largest at 1, as float32; a constant one as zeros."""
    low, high = float(image.min()), float(image.max())
    return ((image - low) / (high - low if high > low else 1)).astype(np.float32)
