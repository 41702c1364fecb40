"""Decoder in which a query for each class attends to patches, and its attention is the mask."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn


class ScoredAttention(nn.Module):
    """Multi-head cross-attention that also gives its scores before the softmax.

    Args:
        channels: Channels of queries and tokens.
        heads: Number of heads; divides `channels`.
    """

    def __init__(self, channels: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(channels, channels)
        self.key = nn.Linear(channels, channels)
        self.value = nn.Linear(channels, channels)
        self.out = nn.Linear(channels, channels)

    def scores(self, queries: Tensor, tokens: Tensor) -> Tensor:
        """Return the scores (N, heads, Q, T) of queries (N, Q, C) and tokens (N, T, C)."""
        query, key = self._split(self.query(queries)), self._split(self.key(tokens))
        return query @ key.transpose(2, 3) / query.shape[-1] ** 0.5

    def forward(self, queries: Tensor, tokens: Tensor) -> Tensor:
        """Return the attended values (N, Q, C)."""
        attended = self.weigh(self.scores(queries, tokens)) @ self._split(self.value(tokens))
        return self.out(attended.transpose(1, 2).flatten(2))

    def weigh(self, scores: Tensor) -> Tensor:
        """Return the weights (N, heads, Q, T) of the tokens; those of a query add up to 1."""
        return scores.softmax(-1)

    def _split(self, tokens: Tensor) -> Tensor:
        return tokens.unflatten(2, (self.heads, -1)).transpose(1, 2)


class ClassDecoderLayer(nn.Module):
    """Cross-attention and MLP, each with a residual and normalised after it; queries do not see each other.

    Args:
        attention: The attention.
        channels: Channels of queries and tokens.
        hidden: Width of the MLP.
    """

    def __init__(self, attention: ScoredAttention, channels: int, hidden: int) -> None:
        super().__init__()
        self.attention = attention
        self.mlp = nn.Sequential(nn.Linear(channels, hidden), nn.ReLU(), nn.Linear(hidden, channels))
        self.norms = nn.ModuleList(nn.LayerNorm(channels) for _ in range(2))

    def forward(self, queries: Tensor, tokens: Tensor) -> Tensor:
        """Return queries of the same shape (N, Q, C); tokens are (N, T, C)."""
        queries = self.norms[0](queries + self.attention(queries, tokens))
        return self.norms[1](queries + self.mlp(queries))


class ClassDecoder(nn.Module):
    """Layers of cross-attention; the scores of the last one, averaged over heads, are the mask logits.

    Args:
        channels: Channels of queries and tokens.
        layers: All layers; of the last one only the scores are computed.
        hidden: Width of the MLPs.
        attention: Makes the attention of a layer.
    """

    def __init__(self, channels: int, layers: int, hidden: int, attention: Callable[[], ScoredAttention]) -> None:
        super().__init__()
        self.layers = nn.ModuleList(ClassDecoderLayer(attention(), channels, hidden) for _ in range(layers - 1))
        self.query = nn.Linear(channels, channels)
        self.key = nn.Linear(channels, channels)

    def forward(self, queries: Tensor, tokens: Tensor) -> Tensor:
        """Return mask logits (N, Q, T) of queries (N, Q, C) over tokens (N, T, C)."""
        for layer in self.layers:
            queries = layer(queries, tokens)
        return self.masks(queries, tokens)

    def masks(self, queries: Tensor, tokens: Tensor) -> Tensor:
        """Return the scores of the last layer, (N, Q, T)."""
        # The mean over heads of their scores is, up to a factor, the product over all channels.
        return torch.einsum("nqc,ntc->nqt", self.query(queries), self.key(tokens)) / queries.shape[-1] ** 0.5
