"""Points of an image at which masks are compared."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor


def lattice(items: int, size: Sequence[int], device: torch.device, jitter: bool) -> Tensor:
    """Return one point (x, y) in each cell of a lattice over the image, (items, rows, columns, 2) in [-1, 1].

    Args:
        items: Images; each draws its own points.
        size: Rows and columns of the lattice.
        device: Where to draw.
        jitter: Whether to draw uniformly in the cell; its centre otherwise.
    """
    shape = (items, *size)
    inside = torch.rand(*shape, 2, device=device) if jitter else torch.full((*shape, 2), 0.5, device=device)
    corner = torch.meshgrid(*(torch.arange(side, device=device) for side in size), indexing="ij")[::-1]
    extent = torch.tensor(list(size)[::-1], device=device)
    return (torch.stack(corner, dim=-1) + inside) / extent * 2 - 1


def at_points(maps: Tensor, points: Tensor, mode: str = "bilinear") -> Tensor:
    """Return the values (N, C, P) of maps (N, C, H, W) at points of `lattice`, row by row."""
    return F.grid_sample(maps, points, mode=mode, padding_mode="border", align_corners=False).flatten(2)
