"""The transformer of UCTransNet, which attends from each scale's channels to those of all scales."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmseg_ext.models.blocks.convolutions import conv_bn_relu

LAYER_NORM_EPS = 1e-6


class ChannelCrossTransformer(nn.Module):
    """Exchange information among the skip maps of a U-Net (UCTransNet, section 3.1, "CCT").

    Every map is cut into patches so that all give the same grid of tokens; layers of `ChannelCrossLayer` follow;
    each result is brought back to its map's size and added to it.

    Args:
        channels: Channels of the maps, from the largest map on; each map is half as wide as the one before.
        image_size: Height and width of the first map for which the position table is made; another size resamples it.
        patch_size: Side of a patch of the first map; halved for each map that follows.
        heads: Attention heads, each as wide as the map.
        layers: Number of layers.
        dropout: Probability in embeddings, attention weights and projections.
    """

    def __init__(
        self,
        channels: Sequence[int],
        image_size: tuple[int, int],
        patch_size: int = 16,
        heads: int = 4,
        layers: int = 4,
        dropout: float = 0.1,
    ) -> None:
        super().__init__()
        self.patch_sizes = [patch_size >> level for level in range(len(channels))]
        grid = [math.ceil(side / patch_size) for side in image_size]
        self.embeddings = nn.ModuleList(
            nn.Conv2d(width, width, patch, stride=patch)
            for width, patch in zip(channels, self.patch_sizes, strict=True)
        )
        self.positions = nn.ParameterList(torch.zeros(1, width, *grid) for width in channels)
        self.dropout = nn.Dropout(dropout)
        self.layers = nn.ModuleList(ChannelCrossLayer(channels, heads, dropout) for _ in range(layers))
        self.norms = nn.ModuleList(nn.LayerNorm(width, eps=LAYER_NORM_EPS) for width in channels)
        self.reconstructions = nn.ModuleList(conv_bn_relu(width, width, 1) for width in channels)

    def forward(self, maps: Sequence[Tensor]) -> list[Tensor]:
        """Return maps of the shapes of the inputs: (N, C_i, H / 2^i, W / 2^i), H and W multiples of the patch size."""
        embedded = [embed(item) for embed, item in zip(self.embeddings, maps, strict=True)]
        grid = embedded[0].shape[-2:]
        tokens = [
            self.dropout(item + _resampled(position, grid)).flatten(2).transpose(1, 2)
            for item, position in zip(embedded, self.positions, strict=True)
        ]
        for layer in self.layers:
            tokens = layer(tokens)
        results = []
        for item, token, norm, patch, reconstruct in zip(
            maps, tokens, self.norms, self.patch_sizes, self.reconstructions, strict=True
        ):
            coarse = norm(token).transpose(1, 2).unflatten(2, grid)
            results.append(item + reconstruct(F.interpolate(coarse, scale_factor=float(patch))))
        return results


class ChannelCrossLayer(nn.Module):
    """Channel-wise cross attention and a two-layer perceptron for each scale, both pre-normalised and residual.

    Args:
        channels: Width of the tokens of each scale.
        heads: Attention heads.
        dropout: Probability in attention weights and projections.
    """

    def __init__(self, channels: Sequence[int], heads: int, dropout: float) -> None:
        super().__init__()
        joint = sum(channels)
        self.norms = nn.ModuleList(nn.LayerNorm(width, eps=LAYER_NORM_EPS) for width in channels)
        self.joint_norm = nn.LayerNorm(joint, eps=LAYER_NORM_EPS)
        self.attention = ChannelCrossAttention(channels, heads, dropout)
        self.mlp_norms = nn.ModuleList(nn.LayerNorm(width, eps=LAYER_NORM_EPS) for width in channels)
        self.mlps = nn.ModuleList(_perceptron(width) for width in channels)

    def forward(self, tokens: Sequence[Tensor]) -> list[Tensor]:
        """Return tokens of the shapes of the inputs, (N, T, C_i) for each scale."""
        joint = self.joint_norm(torch.cat(list(tokens), dim=2))
        attended = self.attention([norm(item) for norm, item in zip(self.norms, tokens, strict=True)], joint)
        tokens = [item + change for item, change in zip(tokens, attended, strict=True)]
        return [item + mlp(norm(item)) for item, norm, mlp in zip(tokens, self.mlp_norms, self.mlps, strict=True)]


class ChannelCrossAttention(nn.Module):
    """Attention whose tokens are channels: queries from one scale, keys and values from all scales joined.

    With queries Q (T, C), keys and values K, V (T, D) of a head, the result is the mean over heads of
    `softmax(norm(Q' K / sqrt(D))) V'`, projected; `norm` is instance normalisation over the C x D scores of a head.

    Args:
        channels: Width C_i of the tokens of each scale; D is their sum.
        heads: Heads, each with matrices of full width.
        dropout: Probability in attention weights and projections.
    """

    def __init__(self, channels: Sequence[int], heads: int, dropout: float) -> None:
        super().__init__()
        joint = sum(channels)
        self.heads = heads
        self.queries = nn.ModuleList(nn.Linear(width, heads * width, bias=False) for width in channels)
        self.keys = nn.Linear(joint, heads * joint, bias=False)
        self.values = nn.Linear(joint, heads * joint, bias=False)
        self.projections = nn.ModuleList(nn.Linear(width, width, bias=False) for width in channels)
        self.dropout = nn.Dropout(dropout)

    def forward(self, tokens: Sequence[Tensor], joint: Tensor) -> list[Tensor]:
        """Return what each scale gathers, (N, T, C_i), from its tokens (N, T, C_i) and the joint ones (N, T, D)."""
        keys = self._split(self.keys(joint))
        values = self._split(self.values(joint))
        results = []
        for item, query, project in zip(tokens, self.queries, self.projections, strict=True):
            scores = self._split(query(item)).transpose(-1, -2) @ keys / math.sqrt(joint.shape[-1])
            weights = self.dropout(F.instance_norm(scores).softmax(dim=-1))
            gathered = (weights @ values.transpose(-1, -2)).mean(dim=1).transpose(1, 2)
            results.append(self.dropout(project(gathered)))
        return results

    def _split(self, found: Tensor) -> Tensor:
        return found.unflatten(2, (self.heads, -1)).transpose(1, 2)


def _perceptron(width: int) -> nn.Sequential:
    layers = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))
    for layer in (layers[0], layers[2]):
        nn.init.xavier_uniform_(layer.weight)
        nn.init.normal_(layer.bias, std=1e-6)
    return layers


def _resampled(position: Tensor, grid: Sequence[int]) -> Tensor:
    if position.shape[-2:] == tuple(grid):
        return position
    return F.interpolate(position, size=tuple(grid), mode="bilinear", align_corners=False)
