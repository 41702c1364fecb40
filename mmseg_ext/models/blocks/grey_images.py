"""Grey images for networks whose first layer expects colour."""

from __future__ import annotations

from torch import Tensor


def stem_channels(in_channels: int) -> int:
    """Return the input channels of the first layer: 3 for grey images, which `repeat_grey` repeats."""
    return 3 if in_channels == 1 else in_channels


def repeat_grey(images: Tensor) -> Tensor:
    """Return (N, 3, H, W) for (N, 1, H, W), without a copy; other images as they are."""
    return images.expand(-1, 3, -1, -1) if images.shape[1] == 1 else images
