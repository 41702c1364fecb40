"""A grid of square patches over a batch of maps; patches at the right and bottom edge may be cut off."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor


def patch_means(values: Tensor, size: int) -> Tensor:
    """Return the mean (N, h, w) of every patch of maps (N, H, W)."""
    return F.avg_pool2d(values[:, None], size, ceil_mode=True, count_include_pad=False)[:, 0]


def over_pixels(patches: Tensor, size: int, height: int, width: int) -> Tensor:
    """Return maps (N, H, W) with the value of each pixel's patch (N, h, w)."""
    spread = patches.repeat_interleave(size, dim=-2).repeat_interleave(size, dim=-1)
    return spread[..., :height, :width]
