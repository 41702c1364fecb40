"""Window attention with convolutions beside it, as in SWMA-UNet."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from mmseg.models.backbones.swin import WindowMSA
from torch import Tensor, nn


class GroupedSpatialAttention(nn.Module):
    """Weigh the pixels of each group of channels; the "EMA" of Ouyang et al., ICASSP 2023, arXiv 2305.13563.

    A group passes through two branches: gates from its means over rows and over columns, and a 3 x 3 convolution. Each
    branch is summed over channels with weights from the other's mean; the sigmoid of the sum weighs the group.

    Args:
        channels: Channels of the map, a multiple of `groups`.
        groups: Number of groups; all share the weights.
    """

    def __init__(self, channels: int, groups: int) -> None:
        super().__init__()
        self.groups = groups
        width = channels // groups
        self.gates = nn.Conv2d(width, width, 1)
        self.norm = nn.GroupNorm(width, width)
        self.local = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, inputs: Tensor) -> Tensor:
        """Return a map of the shape of the input, (N, C, H, W)."""
        groups = inputs.unflatten(1, (self.groups, -1)).flatten(0, 1)
        rows, columns = groups.mean(3, keepdim=True), groups.mean(2, keepdim=True)
        gated = self.norm(groups * self.gates(rows).sigmoid() * self.gates(columns).sigmoid())
        local = self.local(groups)
        weight = _summed(local, gated) + _summed(gated, local)
        return (groups * weight.sigmoid()).unflatten(0, (-1, self.groups)).flatten(1, 2)


class ConvolutionPath(nn.Module):
    """The path beside window attention, "EMSA" in the released code of SWMA-UNet (section 3.2 of the paper).

    The first third of the channels goes through attention among pooled pixels, the rest through a depthwise convolution
    and, in parallel, through `GroupedSpatialAttention`; a 1 x 1 convolution joins the three.

    Args:
        channels: Channels of the map, a multiple of 3.
        groups: Groups of the grouped attention.
        pooled_heads: Heads of the attention among pooled pixels; `None` leaves the first third as it is.
    """

    def __init__(self, channels: int, groups: int, pooled_heads: int | None) -> None:
        super().__init__()
        first = channels // 3
        self.parts = [first, channels - first]
        self.pooled = None if pooled_heads is None else PooledAttention(first, pooled_heads)
        self.depthwise = nn.Sequential(
            nn.Conv2d(self.parts[1], self.parts[1], 1, bias=False),
            nn.Conv2d(self.parts[1], self.parts[1], 3, padding=1, groups=self.parts[1], bias=False),
            nn.GELU(),
        )
        self.grouped = GroupedSpatialAttention(self.parts[1], groups)
        self.join = nn.Conv2d(first + 2 * self.parts[1], channels, 1)

    def forward(self, inputs: Tensor) -> Tensor:
        """Return a map of the shape of the input, (N, C, H, W)."""
        first, rest = inputs.split(self.parts, dim=1)
        if self.pooled is not None:
            first = self.pooled(first)
        return self.join(torch.cat([self.grouped(rest), first, self.depthwise(rest)], dim=1))


class PooledAttention(nn.Module):
    """Self-attention among the means of 2 x 2 pixels, brought back to the size of the input by repetition.

    Args:
        channels: Channels of the map.
        heads: Attention heads.
    """

    def __init__(self, channels: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(channels, 3 * channels)

    def forward(self, inputs: Tensor) -> Tensor:
        """Return a map of the shape of the input, (N, C, H, W)."""
        pooled = F.avg_pool2d(inputs, 2, ceil_mode=True)
        qkv = self.qkv(pooled.flatten(2).transpose(1, 2)).unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        gathered = F.scaled_dot_product_attention(*qkv.unbind())
        coarse = gathered.transpose(2, 3).flatten(1, 2).unflatten(2, pooled.shape[-2:])
        return F.interpolate(coarse, size=inputs.shape[-2:])


class MultiPathWindowAttention(nn.Module):
    """The sum of window attention and a convolution path within the window.

    The path takes no mask: in shifted windows that wrap around the border its convolutions mix both sides.

    Args:
        attention: MMSegmentation's window attention.
        path: The path beside it.
    """

    def __init__(self, attention: WindowMSA, path: ConvolutionPath) -> None:
        super().__init__()
        self.attention = attention
        self.path = path

    def forward(self, windows: Tensor, mask: Tensor | None = None) -> Tensor:
        """Return windows (N, T, C) of the shape of the input; `mask` is that of the window attention."""
        maps = windows.transpose(1, 2).unflatten(2, self.attention.window_size)
        return self.attention(windows, mask) + self.path(maps).flatten(2).transpose(1, 2)


def _summed(maps: Tensor, guide: Tensor) -> Tensor:
    """Return the sum (N, 1, H, W) of the maps' channels, weighted by the softmax of the guide's means."""
    weights = guide.mean((2, 3)).softmax(dim=1)
    return (weights[:, None] @ maps.flatten(2)).unflatten(2, maps.shape[-2:])
