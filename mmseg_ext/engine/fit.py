"""How an image of any size becomes the network's input size, and how a map comes back.

`resize`: the image is resized to the input size, each axis by its own factor.
`pad`: the image keeps its scale and is centred in the input. One that does not fit is first shrunk, with its
proportions, until it does: nothing of an image is ever cut away, in training or in prediction.
Both are undone exactly in the reverse order on the logits, before any decision is taken.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import torch.nn.functional as F
from torch import Tensor


@dataclass(frozen=True)
class Fit:
    """Where an image lies in the network's input; all sizes are (height, width) in pixels."""

    native: tuple[int, int]
    """Size of the image."""
    scaled: tuple[int, int]
    """Size of the image inside the input."""
    size: tuple[int, int]
    """Size of the input."""

    @property
    def offset(self) -> tuple[int, int]:
        """Row and column of the input where the image begins."""
        return (self.size[0] - self.scaled[0]) // 2, (self.size[1] - self.scaled[1]) // 2

    def scale(self, stored: np.ndarray) -> np.ndarray:
        """Resize an image (H, W[, C]) in its stored type: area average to shrink, bilinear to enlarge."""
        if self.scaled == self.native:
            return stored
        shrinks = self.scaled[0] < self.native[0] or self.scaled[1] < self.native[1]
        return cv2.resize(stored, self.scaled[::-1], interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)

    def scale_labels(self, labels: np.ndarray) -> np.ndarray:
        """Resize an integer map (H, W) by nearest neighbours."""
        if self.scaled == self.native:
            return labels
        return cv2.resize(labels, self.scaled[::-1], interpolation=cv2.INTER_NEAREST_EXACT)

    def place(self, scaled: np.ndarray) -> np.ndarray:
        """Put a scaled image or map into the input; what it does not cover is 0."""
        if self.scaled == self.size:
            return scaled
        placed = np.zeros((*self.size, *scaled.shape[2:]), scaled.dtype)
        (top, left), (height, width) = self.offset, self.scaled
        placed[top : top + height, left : left + width] = scaled
        return placed

    def to_native(self, logits: Tensor) -> Tensor:
        """Bring logits (N, K, H, W) of the input back to the size of the image."""
        (top, left), (height, width) = self.offset, self.scaled
        inside = logits[..., top : top + height, left : left + width]
        if self.scaled == self.native:
            return inside
        return F.interpolate(inside, size=self.native, mode="bilinear", align_corners=False)

    def labels_to_native(self, labels: np.ndarray) -> np.ndarray:
        """Bring an integer map (H, W) of the input back to the size of the image by nearest neighbours."""
        (top, left), (height, width) = self.offset, self.scaled
        inside = np.ascontiguousarray(labels[top : top + height, left : left + width])
        if self.scaled == self.native:
            return inside
        return cv2.resize(inside, self.native[::-1], interpolation=cv2.INTER_NEAREST_EXACT)


def fit_to(native: tuple[int, int], size: tuple[int, int], rule: str) -> Fit:
    """Return how an image of size `native` is fitted to `size` by the rule `pad` or `resize`."""
    if rule == "resize":
        return Fit(native, size, size)
    factor = min(1.0, size[0] / native[0], size[1] / native[1])
    scaled = (max(1, round(native[0] * factor)), max(1, round(native[1] * factor)))
    return Fit(native, scaled, size)
