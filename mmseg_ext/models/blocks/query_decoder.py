"""Transformer decoder whose queries predict masks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn


@dataclass(frozen=True)
class QueryPrediction:
    """What the queries predict after each of L decoder layers, the untouched queries first."""

    embeddings: Tensor
    """(L, N, Q, E), of length 1 along E."""
    masks: Tensor
    """(L, N, Q, h, w) logits."""


class MaskedAttention(nn.Module):
    """Multi-head attention with a mask of what each query may look at.

    Args:
        channels: Channels of queries, keys and values.
        heads: Number of heads; divides `channels`.
    """

    def __init__(self, channels: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(channels, channels)
        self.key = nn.Linear(channels, channels)
        self.value = nn.Linear(channels, channels)
        self.out = nn.Linear(channels, channels)

    def forward(self, queries: Tensor, keys: Tensor, values: Tensor, allowed: Tensor | None = None) -> Tensor:
        """Return the attended values (N, Q, C).

        Args:
            queries: (N, Q, C).
            keys: (N, T, C).
            values: (N, T, C).
            allowed: (N, 1, Q, T) or (Q, T) bool; a row must have at least one true entry.
        """
        attended = F.scaled_dot_product_attention(
            self._split(self.query(queries)), self._split(self.key(keys)), self._split(self.value(values)), allowed
        )
        return self.out(attended.transpose(1, 2).flatten(2))

    def _split(self, tokens: Tensor) -> Tensor:
        return tokens.unflatten(2, (self.heads, -1)).transpose(1, 2)


class QueryDecoderLayer(nn.Module):
    """Cross-attention, self-attention, MLP, each with a residual and normalised after it (Mask2Former, section 3.2.1).

    Args:
        channels: Channels of a query and of a token.
        heads: Attention heads.
        hidden: Width of the MLP.
    """

    def __init__(self, channels: int, heads: int, hidden: int) -> None:
        super().__init__()
        self.cross = MaskedAttention(channels, heads)
        self.own = MaskedAttention(channels, heads)
        self.mlp = nn.Sequential(nn.Linear(channels, hidden), nn.ReLU(), nn.Linear(hidden, channels))
        self.norms = nn.ModuleList(nn.LayerNorm(channels) for _ in range(3))

    def forward(
        self, queries: Tensor, query_positions: Tensor, tokens: Tensor, positions: Tensor, allowed: Tensor | None,
        groups: Tensor | None,
    ) -> Tensor:  # fmt: skip
        """Return the queries after the layer (N, Q, C).

        Args:
            queries: (N, Q, C).
            query_positions: (Q, C).
            tokens: (N, T, C), of one feature map.
            positions: (T, C).
            allowed: (N, 1, Q, T) tokens each query may attend to; all where not given.
            groups: (Q, Q) queries each query may attend to; all where not given.
        """
        attended = self.cross(queries + query_positions, tokens + positions, tokens, allowed)
        queries = self.norms[0](queries + attended)
        placed = queries + query_positions
        queries = self.norms[1](queries + self.own(placed, placed, queries, groups))
        return self.norms[2](queries + self.mlp(queries))


class QueryDecoder(nn.Module):
    """Queries in groups, refined by layers that visit the feature maps in turn, with one prediction before each layer.

    Mask2Former (Cheng et al. 2022, arXiv:2112.01527): 9 layers of masked attention on the maps of strides 32, 16, 8.
    Without `masked_attention` and with 6 layers on the map of stride 32 it is MaskFormer's decoder (arXiv:2107.06278),
    but for the order of cross- and self-attention.

    Each group has its own content and position embeddings; all layers and heads are shared.

    Args:
        channels: Channels of maps and queries.
        embedding_channels: E, channels of the joint space of images and texts.
        group_sizes: Queries of each group.
        layers: Decoder layers.
        levels: Feature maps visited in turn.
        heads: Attention heads.
        hidden: Width of the MLPs.
        masked_attention: Whether a query attends only where its last mask is more likely than not.
        block_cross_group: Whether queries attend only to queries of their own group.
    """

    def __init__(
        self,
        channels: int,
        embedding_channels: int,
        group_sizes: Sequence[int],
        layers: int = 9,
        levels: int = 3,
        heads: int = 8,
        hidden: int = 2048,
        masked_attention: bool = True,
        block_cross_group: bool = False,
    ) -> None:
        super().__init__()
        self.masked_attention = masked_attention
        self.contents = nn.ParameterList(nn.Parameter(torch.randn(size, channels)) for size in group_sizes)
        self.positions = nn.ParameterList(nn.Parameter(torch.randn(size, channels)) for size in group_sizes)
        self.level_embedding = nn.Parameter(torch.randn(levels, channels))
        self.layers = nn.ModuleList(QueryDecoderLayer(channels, heads, hidden) for _ in range(layers))
        self.norm = nn.LayerNorm(channels)
        self.to_mask = _mlp(channels, channels, 3)
        self.to_embedding = _mlp(channels, embedding_channels, 2)
        member = torch.tensor([group for group, size in enumerate(group_sizes) for _ in range(size)])
        own_only = member[:, None] == member if block_cross_group else None
        self.register_buffer("own_only", own_only, persistent=False)

    def forward(self, maps: Sequence[Tensor], mask_features: Tensor) -> QueryPrediction:
        """Return the predictions of all layers, one more than there are layers; the last is the result.

        Args:
            maps: Feature maps (N, C, h_i, w_i), as many as `levels`, in the order they are visited.
            mask_features: (N, C, h, w); masks are its products with the queries.
        """
        tokens = [item.flatten(2).transpose(1, 2) for item in maps]
        places = [
            sine_positions(*item.shape[-2:], item.shape[1], like=item) + level
            for item, level in zip(maps, self.level_embedding, strict=True)
        ]
        positions = torch.cat(list(self.positions))
        queries = torch.cat(list(self.contents)).expand(len(mask_features), -1, -1)
        found = [self._predict(queries, mask_features)]
        for index, layer in enumerate(self.layers):
            level = index % len(maps)
            allowed = self._allowed(found[-1][1], maps[level].shape[-2:]) if self.masked_attention else None
            queries = layer(queries, positions, tokens[level], places[level], allowed, self.own_only)
            found.append(self._predict(queries, mask_features))
        embeddings, masks = zip(*found, strict=True)
        return QueryPrediction(torch.stack(embeddings), torch.stack(masks))

    def _predict(self, queries: Tensor, mask_features: Tensor) -> tuple[Tensor, Tensor]:
        queries = self.norm(queries)
        masks = torch.einsum("nqc,nchw->nqhw", self.to_mask(queries), mask_features)
        return F.normalize(self.to_embedding(queries), dim=-1), masks

    @staticmethod
    def _allowed(masks: Tensor, size: Sequence[int]) -> Tensor:
        """Return (N, 1, Q, h w): inside of each mask; everywhere for a mask that would be empty at this size."""
        resized = F.interpolate(masks.detach(), size=tuple(size), mode="bilinear", align_corners=False)
        inside = resized.flatten(2) > 0
        return (inside | ~inside.any(-1, keepdim=True))[:, None]


def sine_positions(height: int, width: int, channels: int, like: Tensor) -> Tensor:
    """Return sine embeddings (height * width, channels) of pixel centres on the unit square, y first.

    Wavelengths grow from 1 to 10,000 in geometric steps (Vaswani et al. 2017, section 3.5), of positions scaled to
    2 pi as in DETR.

    Args:
        height: Rows.
        width: Columns.
        channels: A multiple of 4.
        like: Gives device and type.
    """
    rates = 10000 ** (-torch.arange(0, channels // 2, 2, device=like.device) / (channels // 2))
    sides = []
    for size in (height, width):
        angle = (torch.arange(size, device=like.device)[:, None] + 0.5) / size * (2 * math.pi) * rates
        sides.append(torch.cat([angle.sin(), angle.cos()], dim=1))
    rows = sides[0][:, None].expand(-1, width, -1)
    columns = sides[1][None].expand(height, -1, -1)
    return torch.cat([rows, columns], dim=2).flatten(0, 1).to(like.dtype)


def _mlp(channels: int, out_channels: int, layers: int) -> nn.Sequential:
    hidden = [module for _ in range(layers - 1) for module in (nn.Linear(channels, channels), nn.ReLU())]
    return nn.Sequential(*hidden, nn.Linear(channels, out_channels))
