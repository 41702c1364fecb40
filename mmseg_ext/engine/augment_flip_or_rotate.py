"""The augmentation of the TransUNet family's released trainers, HiPerformer's among them."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from mmseg_ext.registry import TRANSFORMS


@TRANSFORMS.register_module()
class FlipOrRotate:
    """Quarter turns and a mirror image, or a small turn, or nothing.

    With probability one half a turn by 0, 90, 180 or 270 degrees and then a mirror image along a random axis; else,
    with probability one half again, a turn by a whole number of degrees in [-angle, angle), nearest neighbours for the
    image too, zeros around it. Sides of a body are mirrored with everything else.

    Args:
        angle: Bound of the small turn in degrees.
    """

    def __init__(self, angle: int = 20) -> None:
        self.angle = angle

    def __call__(
        self, rng: np.random.Generator, image: np.ndarray, maps: Sequence[np.ndarray], size: tuple[int, int]
    ) -> tuple[np.ndarray, list[np.ndarray]]:
        """Return a changed image and its maps at the input size; arguments as of `mmseg_ext.engine.augment`."""
        matrix = self._about_centre(rng)
        # Pixel centres: a quarter turn of an odd or even side then maps pixels onto pixels.
        inner, outer = (np.array(sides[1::-1]) / 2 - 0.5 for sides in (image.shape[:2], size))
        whole = np.column_stack([matrix, outer - matrix @ inner])
        moved = [cv2.warpAffine(item, whole, size[::-1], flags=cv2.INTER_NEAREST) for item in (image, *maps)]
        return moved[0], moved[1:]

    def _about_centre(self, rng: np.random.Generator) -> np.ndarray:
        """Return the linear part (2, 2) of the map from image to input."""
        if rng.random() < 0.5:
            mirror = np.diag([-1.0, 1.0] if rng.random() < 0.5 else [1.0, -1.0])
            return mirror @ _turn(90.0 * rng.integers(4))
        if rng.random() < 0.5:
            return _turn(float(rng.integers(-self.angle, self.angle)))
        return np.eye(2)


def _turn(degrees: float) -> np.ndarray:
    turn = np.deg2rad(degrees)
    # Rounded, so that quarter turns are exact.
    return np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]).round(12)
