"""The decoder of XBound-Former."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmseg_ext.models.blocks.convolutions import conv_bn_relu
from mmseg_ext.registry import MODELS


@MODELS.register_module()
class XBoundNeck(BaseModule):
    """Boundary learning inside and across scales (Wang et al. 2023, arXiv:2206.00806, sections III-B to III-D).

    With PVTv2-B2, three input channels and four 1 x 1 heads with one output: 30,509,703 parameters, 1,554,945 of them a
    scale and 429,440 a step across scales; 5.44 GMAC at 224 x 224 and 14.55 at 352 x 352. The released code
    (github.com/jcwang123/xboundformer, commit 9b57e77, counted there; written from the counts and a description, as it
    has no licence) has 131,584 more, a convolution that is never used. In attention to a single key the weights are 1,
    so the gradient of the projections of its queries and keys is 0; they are counted.

    As in that code, the sum of two equal branches doubles the joined map, and the 1 x 1 convolution before the last
    layer is padded, which enlarges the map by two pixels.

    Ours: tables of positions are stretched where a map is larger than they are; the released ones limit the image to
    400 pixels.

    Args:
        in_channels: Channels of the encoder's maps at 1/4, 1/8, 1/16 and 1/32.
        channels: Channels D of the transformers.
        heads: Attention heads.
        hidden: Width of the MLPs inside a scale.
        cross_hidden: Width of the MLPs across scales.
        dropout: Rate inside a scale.
        init_cfg: See `mmengine.model.BaseModule`; the transformers start after Glorot.
    """

    def __init__(
        self,
        in_channels: Sequence[int],
        channels: int = 128,
        heads: int = 8,
        hidden: int = 2048,
        cross_hidden: int = 512,
        dropout: float = 0.1,
        init_cfg: Any = None,
    ) -> None:
        super().__init__(init_cfg)
        fine, *coarse = in_channels
        self.reduce = nn.ModuleList(nn.Conv2d(width, channels, 1) for width in coarse)
        self.scales = nn.ModuleList(ScaleBoundaryLearner(channels, heads, hidden, dropout) for _ in coarse)
        self.crossings = nn.ModuleList(CrossScaleLearner(channels, heads, cross_hidden) for _ in coarse[1:])
        self.join = nn.Sequential(
            nn.Conv2d(fine + channels, fine, 1, padding=1, bias=False), nn.BatchNorm2d(fine), nn.ReLU(inplace=True)
        )

    def forward(self, maps: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """Return what the heads read and the point logits.

        Args:
            maps: The encoder's, the finest first.

        Returns:
            The joined map (N, C, H / 4 + 2, W / 4 + 2), three maps (N, D, h, w) at 1/8, 1/16 and 1/32, and the logits
            (N, 1, h, w) of boundary points at these scales.
        """
        fine, *coarse = maps
        learned = [scale(reduce(item)) for scale, reduce, item in zip(self.scales, self.reduce, coarse, strict=True)]
        found, latent, points = (list(part) for part in zip(*learned, strict=True))
        for level in reversed(range(len(self.crossings))):
            found[level] = self.crossings[level](found[level], found[level + 1], latent[level], latent[level + 1])
        raised = F.interpolate(found[0], size=fine.shape[-2:], mode="bilinear", align_corners=False)
        return self.join(torch.cat([fine, raised], dim=1)), *found, *points


class ScaleBoundaryLearner(nn.Module):
    """Attend to a map, weigh its boundary, and sum the map up in one token ("im-Bound").

    Args:
        channels: D, even.
        heads: Attention heads.
        hidden: Width of the MLPs.
        dropout: Rate after attention and in the MLPs.
        cells: Rows and columns of the tables of positions.
    """

    def __init__(self, channels: int, heads: int, hidden: int, dropout: float, cells: int = 50) -> None:
        super().__init__()
        self.rows = nn.Parameter(torch.rand(cells, channels // 2))
        self.columns = nn.Parameter(torch.rand(cells, channels // 2))
        self.query = nn.Parameter(torch.randn(1, 1, channels))
        self.attention = _attention(channels, heads, dropout)
        self.mlp = _mlp(channels, hidden, dropout)
        self.point_logits = nn.Sequential(
            conv_bn_relu(channels, channels, bias=False),
            conv_bn_relu(channels, channels, bias=False),
            nn.Conv2d(channels, 1, 1),
        )
        self.self_attention = _attention(channels, heads, dropout)
        self.cross_attention = _attention(channels, heads, dropout)
        self.query_mlp = _mlp(channels, hidden, dropout)
        # Encoder: before attention, before MLP, at the end. Decoder: before both attentions, before MLP, at the end.
        self.norms = nn.ModuleList(nn.LayerNorm(channels) for _ in range(7))
        self.dropout = nn.Dropout(dropout)
        _glorot(self)

    def forward(self, maps: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the map (N, D, h, w), its latent token (N, 1, D) and the logits of boundary points (N, 1, h, w)."""
        places = self.positions(maps.shape[-2], maps.shape[-1])
        tokens = maps.flatten(2).transpose(1, 2)
        normed = self.norms[0](tokens)
        tokens = tokens + self.dropout(_attended(self.attention, normed + places, normed + places, normed))
        tokens = tokens + self.dropout(self.mlp(self.norms[1](tokens)))
        points = self.point_logits(tokens.transpose(1, 2).reshape(maps.shape))
        tokens = tokens * (1 + points.sigmoid().flatten(2).transpose(1, 2))
        tokens = self.norms[2](tokens)

        latent = self.query.new_zeros(len(maps), 1, maps.shape[1])
        normed = self.norms[3](latent)
        latent = latent + self.dropout(_attended(self.self_attention, normed + self.query, normed + self.query, normed))
        asked = self.norms[4](latent) + self.query
        latent = latent + self.dropout(_attended(self.cross_attention, asked, tokens + places, tokens))
        latent = latent + self.dropout(self.query_mlp(self.norms[5](latent)))
        return tokens.transpose(1, 2).reshape(maps.shape), self.norms[6](latent), points

    def positions(self, height: int, width: int) -> Tensor:
        """Return the position (1, height * width, D) of each pixel: that of its column beside that of its row."""
        columns = _stretched(self.columns, width).expand(height, -1, -1)
        rows = _stretched(self.rows, height)[:, None].expand(-1, width, -1)
        return torch.cat([columns, rows], dim=-1).flatten(0, 1)[None]


class CrossScaleLearner(nn.Module):
    """Let each of two scales read the other's latent token, and join them at the finer one ("ex-Bound").

    Args:
        channels: D.
        heads: Attention heads.
        hidden: Width of the MLPs.
    """

    def __init__(self, channels: int, heads: int, hidden: int) -> None:
        super().__init__()
        self.low = LatentReader(channels, heads, hidden)
        self.high = LatentReader(channels, heads, hidden)
        self.join = nn.Conv2d(2 * channels, channels, 1)

    def forward(self, low: Tensor, high: Tensor, low_latent: Tensor, high_latent: Tensor) -> Tensor:
        """Return a map of the shape of `low`.

        Args:
            low: The finer map (N, D, h, w).
            high: The coarser map (N, D, h / 2, w / 2).
            low_latent: Token (N, 1, D) of the finer scale.
            high_latent: Token (N, 1, D) of the coarser scale.
        """
        raised = F.interpolate(self.high(high, low_latent), size=low.shape[-2:])
        return 2 * self.join(torch.cat([self.low(low, high_latent), raised], dim=1))


class LatentReader(nn.Module):
    """Attention of all pixels to one token, and an MLP; normalisation comes after each.

    Args:
        channels: D.
        heads: Attention heads.
        hidden: Width of the MLP.
    """

    def __init__(self, channels: int, heads: int, hidden: int) -> None:
        super().__init__()
        self.attention = _attention(channels, heads, 0.0)
        self.mlp = _mlp(channels, hidden, 0.0)
        self.norms = nn.ModuleList(nn.LayerNorm(channels) for _ in range(2))
        _glorot(self)

    def forward(self, maps: Tensor, latent: Tensor) -> Tensor:
        """Return maps of the same shape (N, D, h, w); the latent token is (N, 1, D)."""
        tokens = maps.flatten(2).transpose(1, 2)
        tokens = self.norms[0](tokens + _attended(self.attention, tokens, latent, latent))
        tokens = self.norms[1](tokens + self.mlp(tokens))
        return tokens.transpose(1, 2).reshape(maps.shape)


def _attention(channels: int, heads: int, dropout: float) -> nn.MultiheadAttention:
    return nn.MultiheadAttention(channels, heads, dropout, batch_first=True)


def _attended(attention: nn.MultiheadAttention, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    return attention(query, key, value, need_weights=False)[0]


def _mlp(channels: int, hidden: int, dropout: float) -> nn.Sequential:
    return nn.Sequential(nn.Linear(channels, hidden), nn.LeakyReLU(), nn.Dropout(dropout), nn.Linear(hidden, channels))


def _glorot(module: nn.Module) -> None:
    for name, item in module.named_parameters():
        if item.ndim > 1 and name not in ("rows", "columns", "query"):
            nn.init.xavier_uniform_(item)


def _stretched(table: Tensor, count: int) -> Tensor:
    if count <= len(table):
        return table[:count]
    return F.interpolate(table.T[None], size=count, mode="linear", align_corners=True)[0].T
