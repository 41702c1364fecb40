"""Self-attention in stripes, half of the heads in vertical and half in horizontal ones."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from mmcv.cnn.bricks import DropPath
from torch import Tensor, nn


class CrossShapedBlock(nn.Module):
    """Transformer block of the CSWin Transformer (Dong et al., CVPR 2022, section 3): pre-normalised, residual.

    Args:
        channels: Channels of the map.
        heads: Attention heads, an even number where there are stripes.
        stripe: Width of a stripe; `None` lets every pixel attend to the whole map.
        drop_path: Probability of skipping a branch for an image.
    """

    def __init__(self, channels: int, heads: int, stripe: int | None, drop_path: float) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(channels)
        self.qkv = nn.Linear(channels, 3 * channels)
        shapes = [(None, None)] if stripe is None else [(None, stripe), (stripe, None)]
        parts = len(shapes)
        self.attentions = nn.ModuleList(StripeAttention(channels // parts, heads // parts, *shape) for shape in shapes)
        self.project = nn.Linear(channels, channels)
        self.mlp_norm = nn.LayerNorm(channels)
        self.mlp = nn.Sequential(nn.Linear(channels, 4 * channels), nn.GELU(), nn.Linear(4 * channels, channels))
        self.drop_path = DropPath(drop_path)

    def forward(self, inputs: Tensor) -> Tensor:
        """Return a map of the shape of the input, (N, H, W, C)."""
        parts = len(self.attentions)
        # As in the public checkpoints: all queries, then all keys, then all values, each cut into the parts.
        blocks = self.qkv(self.attention_norm(inputs)).chunk(3 * parts, dim=-1)
        attended = torch.cat([attend(*blocks[part::parts]) for part, attend in enumerate(self.attentions)], dim=-1)
        inputs = inputs + self.drop_path(self.project(attended))
        return inputs + self.drop_path(self.mlp(self.mlp_norm(inputs)))


class StripeAttention(nn.Module):
    """Attention among the pixels of a stripe, with a depthwise convolution of the values as position encoding (LePE).

    Args:
        channels: Channels of queries, keys and values.
        heads: Attention heads.
        height: Height of a stripe; `None` is that of the map. A height that does not divide the map's is lowered to
            the next that does.
        width: Likewise.
    """

    def __init__(self, channels: int, heads: int, height: int | None, width: int | None) -> None:
        super().__init__()
        self.heads = heads
        self.shape = (height, width)
        self.position = nn.Conv2d(channels, channels, 3, padding=1, groups=channels)

    def forward(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        """Return what the pixels gather; all maps are (N, H, W, C)."""
        size = query.shape[1:3]
        stripe = [_largest_divisor(side, limit) for side, limit in zip(size, self.shape, strict=True)]
        query, key, value = (_stripes(item, *stripe) for item in (query, key, value))
        encoded = self.position(value.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
        gathered = F.scaled_dot_product_attention(*(self._tokens(item) for item in (query, key, value)))
        found = gathered.transpose(1, 2).flatten(2).view_as(encoded) + encoded
        rows, columns = size[0] // stripe[0], size[1] // stripe[1]
        return found.view(-1, rows, columns, *found.shape[1:]).transpose(2, 3).reshape(-1, *size, found.shape[-1])

    def _tokens(self, stripes: Tensor) -> Tensor:
        return stripes.flatten(1, 2).unflatten(2, (self.heads, -1)).transpose(1, 2)


def _stripes(found: Tensor, height: int, width: int) -> Tensor:
    """Return the stripes (N rows columns, height, width, C) of a map (N, rows height, columns width, C)."""
    cut = found.unflatten(2, (-1, width)).unflatten(1, (-1, height)).transpose(2, 3)
    return cut.reshape(-1, height, width, found.shape[-1])


def _largest_divisor(number: int, limit: int | None) -> int:
    if limit is None:
        return number
    return next(divisor for divisor in range(min(limit, number), 0, -1) if number % divisor == 0)
