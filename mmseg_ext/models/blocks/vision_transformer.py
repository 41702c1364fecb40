"""The layer of a vision transformer."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn


class SelfAttention(nn.Module):
    """Multi-head self-attention of tokens (N, T, C), with bias in all four projections and without dropout.

    Args:
        channels: C.
        heads: Number of heads; divides C.
    """

    def __init__(self, channels: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(channels, 3 * channels)
        self.proj = nn.Linear(channels, channels)

    def forward(self, tokens: Tensor) -> Tensor:
        """Return the attended tokens (N, T, C)."""
        items, count, channels = tokens.shape
        query, key, value = self.qkv(tokens).view(items, count, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        attended = F.scaled_dot_product_attention(query, key, value)
        return self.proj(attended.transpose(1, 2).reshape(items, count, channels))


class TransformerLayer(nn.Module):
    """Pre-norm layer of ViT (Dosovitskiy et al. 2021, arXiv:2010.11929): attention and MLP, each with a residual.

    Args:
        channels: Channels of a token.
        heads: Attention heads.
        hidden: Width of the MLP.
        dropout: Rate after each layer of the MLP; the attention has none.
    """

    def __init__(self, channels: int, heads: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(channels, eps=1e-6)
        self.attention = SelfAttention(channels, heads)
        self.norm2 = nn.LayerNorm(channels, eps=1e-6)
        self.mlp = nn.Sequential(
            nn.Linear(channels, hidden),
            nn.GELU(),
            nn.Dropout(dropout),
            nn.Linear(hidden, channels),
            nn.Dropout(dropout),
        )
        for layer in (self.mlp[0], self.mlp[3]):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.normal_(layer.bias, std=1e-6)

    def forward(self, tokens: Tensor) -> Tensor:
        """Return tokens of the same shape (N, T, C)."""
        tokens = tokens + self.attention(self.norm1(tokens))
        return tokens + self.mlp(self.norm2(tokens))
