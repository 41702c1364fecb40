"""Parts of U-shaped networks made of shifted-window transformers; maps are (N, H, W, C) throughout."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from mmseg.models.backbones.swin import SwinBlock
from torch import Tensor, nn


class PatchMerging(nn.Module):
    """Halve height and width, double the channels (Liu et al. 2021, arXiv:2103.14030, section 3.1).

    The four neighbours are concatenated in the order (row, column) = (0, 0), (1, 0), (0, 1), (1, 1), which is that of
    the public checkpoints; MMSegmentation's own layer interleaves channels.

    Args:
        channels: C.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(4 * channels)
        self.reduction = nn.Linear(4 * channels, 2 * channels, bias=False)

    def forward(self, maps: Tensor) -> Tensor:
        """Return (N, H / 2, W / 2, 2 C) of (N, H, W, C)."""
        neighbours = [maps[:, row::2, column::2] for column in (0, 1) for row in (0, 1)]
        return self.reduction(self.norm(torch.cat(neighbours, dim=-1)))


class PatchExpand(nn.Module):
    """Enlarge height and width by a linear layer whose outputs are spread over the new cells (Cao et al. 2022, 3.5).

    Args:
        channels: C.
        out_channels: Channels of the output.
        factor: By how much height and width grow.
    """

    def __init__(self, channels: int, out_channels: int, factor: int = 2) -> None:
        super().__init__()
        self.factor = factor
        self.expand = nn.Linear(channels, factor**2 * out_channels, bias=False)
        self.norm = nn.LayerNorm(out_channels)

    def forward(self, maps: Tensor) -> Tensor:
        """Return (N, factor H, factor W, out_channels) of (N, H, W, C)."""
        items, height, width, _ = maps.shape
        cells = self.expand(maps).view(items, height, width, self.factor, self.factor, -1)
        return self.norm(cells.permute(0, 1, 3, 2, 4, 5).reshape(items, self.factor * height, self.factor * width, -1))


class SwinStage(nn.Module):
    """Swin blocks of one resolution, every second one with shifted windows.

    Maps that the window does not divide are padded inside each block.

    Args:
        channels: C.
        heads: Attention heads.
        drop_path: Rate of stochastic depth of each block; their number is the number of blocks.
        window: Side of a window.
        shifts: Whether windows shift at all; the authors' networks do not where one window covers the map.
    """

    def __init__(self, channels: int, heads: int, drop_path: Sequence[float], window: int, shifts: bool) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(
            SwinBlock(channels, heads, 4 * channels, window, shift=shifts and index % 2 == 1, drop_path_rate=rate)
            for index, rate in enumerate(drop_path)
        )

    def forward(self, maps: Tensor) -> Tensor:
        """Return maps of the same shape (N, H, W, C)."""
        tokens, size = maps.flatten(1, 2), maps.shape[1:3]
        for block in self.blocks:
            tokens = block(tokens, size)
        return tokens.view(maps.shape)


def stochastic_depth(rate: float, depths: Sequence[int]) -> list[list[float]]:
    """Return the rate of each block of each stage: it rises linearly from 0 to `rate` over all blocks."""
    last = max(sum(depths) - 1, 1)
    rates = iter(rate * block / last for block in range(sum(depths)))
    return [[next(rates) for _ in range(depth)] for depth in depths]
