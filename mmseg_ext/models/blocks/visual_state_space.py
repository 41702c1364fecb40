"""The block of VMamba: selective scans of a map in four directions."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from mmcv.cnn.bricks import DropPath
from torch import Tensor, nn

from mmseg_ext.models.blocks.selective_scan import selective_scan


class SelectiveScan2D(nn.Module):
    """Scan a map by rows, by columns, and both reversed, and sum the results ("SS2D", Liu et al. 2024, 2401.10166).

    With 96 channels it has 105,216 parameters, as the released Swin-UMamba has.

    Args:
        channels: C.
        states: States of each scanned channel.
    """

    def __init__(self, channels: int, states: int = 16) -> None:
        super().__init__()
        inner, rank = 2 * channels, math.ceil(channels / 16)
        self.split = (rank, states, states)
        self.enter = nn.Linear(channels, 2 * inner, bias=False)
        self.convolution = nn.Conv2d(inner, inner, 3, padding=1, groups=inner)
        self.project = nn.Parameter(torch.empty(4, rank + 2 * states, inner).uniform_(-1, 1) * inner**-0.5)
        self.step_weight = nn.Parameter(torch.empty(4, inner, rank).uniform_(-1, 1) * rank**-0.5)
        # Step sizes start between 0.001 and 0.1, evenly in their logarithm; the bias is what softplus turns into them.
        sizes = torch.exp(torch.empty(4, inner).uniform_(math.log(1e-3), math.log(1e-1))).clamp(min=1e-4)
        self.step_bias = nn.Parameter(sizes + torch.log(-torch.expm1(-sizes)))
        self.log_decay = nn.Parameter(torch.arange(1.0, states + 1).log().repeat(4, inner, 1))
        self.skip = nn.Parameter(torch.ones(4, inner))
        self.norm = nn.LayerNorm(inner)
        self.out = nn.Linear(inner, channels, bias=False)

    def forward(self, maps: Tensor) -> Tensor:
        """Return maps of the same shape (N, H, W, C)."""
        found, gate = self.enter(maps).chunk(2, dim=-1)
        found = self.scan(F.silu(self.convolution(found.permute(0, 3, 1, 2))))
        return self.out(self.norm(found.permute(0, 2, 3, 1)) * F.silu(gate))

    def scan(self, maps: Tensor) -> Tensor:
        """Return the sum of the four scans of maps (N, E, H, W), of the same shape."""
        height, width = maps.shape[-2:]
        forth = torch.stack([maps.flatten(2), maps.transpose(2, 3).flatten(2)], dim=1)
        sequences = torch.cat([forth, forth.flip(-1)], dim=1)
        steps, b, c = (self.project @ sequences).split(self.split, dim=2)
        steps = F.softplus((self.step_weight @ steps).float() + self.step_bias[..., None])
        scanned = selective_scan(sequences, steps, -self.log_decay.float().exp(), b, c, self.skip)
        forth, back = scanned.to(maps.dtype).chunk(2, dim=1)
        by_rows, by_columns = (forth + back.flip(-1)).unbind(1)
        return by_rows.unflatten(2, (height, width)) + by_columns.unflatten(2, (width, height)).transpose(2, 3)


class StateSpaceBlock(nn.Module):
    """`SelectiveScan2D` of normalised maps, with a residual; there is no MLP.

    Args:
        channels: C.
        states: States of each scanned channel.
        drop_path: Rate of stochastic depth.
    """

    def __init__(self, channels: int, states: int, drop_path: float) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(channels)
        self.scan = SelectiveScan2D(channels, states)
        self.drop_path = DropPath(drop_path)

    def forward(self, maps: Tensor) -> Tensor:
        """Return maps of the same shape (N, H, W, C)."""
        return maps + self.drop_path(self.scan(self.norm(maps)))
