"""From superpixel maps to the grid of the encoder's bottom, and means over regions."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def on_grid(ids: Tensor, size: tuple[int, int]) -> Tensor:
    """Return maps of ids (N, H, W) at the size (h, w), by nearest neighbours."""
    # Ids have at most 16 bits, which single precision holds exactly.
    return F.interpolate(ids[:, None].float(), size=size, mode="nearest")[:, 0].long()


@torch.no_grad()
def region_map(values: Tensor, ids: Tensor, norm: str) -> Tensor:
    """Return, in every cell, the sum of its region's values over a divisor: SuperCL's ASP (section III-C).

    Args:
        values: (N, h, w).
        ids: (N, h, w) region of each cell, 0 or larger.
        norm: `image`: divided by the cells of the image, as in the released code, so a value is the mean of its region
            times the region's share of the image; `region`: divided by the cells of the region, the plain mean.
    """
    flat, regions = values.flatten(1), ids.flatten(1)
    sums = flat.new_zeros(len(flat), int(regions.max()) + 1).scatter_add_(1, regions, flat)
    if norm == "image":
        sums = sums / flat.shape[1]
    else:
        sums = sums / torch.zeros_like(sums).scatter_add_(1, regions, torch.ones_like(flat)).clamp(min=1)
    return sums.gather(1, regions).view_as(values)
