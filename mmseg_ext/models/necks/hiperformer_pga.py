"""Pyramid gated attention (PGA) of HiPerformer: a gate on the skip connection and pyramid split attention."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn

from mmseg_ext.models.hiperformer_layers import conv_norm


class EfficientAttentionGate(nn.Module):
    """Attention gate with grouped convolutions (EAG).

    Args:
        channels: C of both maps.
        groups: Groups of the 1 x 1 convolutions.
        gated: The released code multiplies the `skip` map; the paper's equation 15 the `decoder` map.
    """

    def __init__(self, channels: int, groups: int = 32, gated: Literal["skip", "decoder"] = "skip") -> None:
        super().__init__()
        self.gated = gated
        half = channels // 2
        self.from_decoder = conv_norm(channels, half, act=nn.ReLU(), groups=groups)
        self.from_skip = conv_norm(channels, half, act=nn.ReLU(), groups=groups)
        self.gate = conv_norm(half, 1)

    def forward(self, decoder: Tensor, skip: Tensor) -> Tensor:
        """Return the gated one of two maps (N, C, H, W)."""
        # The sum of two ReLUs needs no third one.
        gate = torch.sigmoid(self.gate(self.from_decoder(decoder) + self.from_skip(skip)))
        chosen = skip if self.gated == "skip" else decoder
        return chosen * gate + chosen


class PyramidSplitAttention(nn.Module):
    """Pyramid split attention (PSA; Zhang et al., EPSANet, arXiv 2105.14447), (N, C, H, W) to the same shape.

    Four grouped convolutions of growing kernels see the whole input and give a quarter of the channels each. One
    squeeze-and-excitation network, shared, gives each a vector of weights; a softmax runs across the four. Branches
    are joined from the largest kernel to the smallest, as in the released code.

    Args:
        channels: C.
        groups: Of the convolutions with kernels 3, 5, 7, 9.
        reduction: Of the squeeze-and-excitation network.
    """

    def __init__(self, channels: int, groups: Sequence[int] = (1, 4, 8, 16), reduction: int = 16) -> None:
        super().__init__()
        quarter = channels // 4
        self.branches = nn.ModuleList(
            nn.Conv2d(channels, quarter, kernel, padding=kernel // 2, groups=count)
            for kernel, count in zip((3, 5, 7, 9), groups, strict=True)
        )
        self.excite = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),
            nn.Conv2d(quarter, quarter // reduction, 1),
            nn.ReLU(inplace=True),
            nn.Conv2d(quarter // reduction, quarter, 1),
            nn.Sigmoid(),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return the attended map."""
        maps = [branch(x) for branch in self.branches]
        weights = torch.stack([self.excite(item) for item in maps]).softmax(dim=0)
        return torch.cat([item * weight for item, weight in zip(reversed(maps), weights.flip(0), strict=True)], dim=1)


class PyramidGatedAttention(nn.Module):
    """PGA of one level: gate, join with the decoder's map, pyramid split attention.

    The paper says the gate concatenates; in the released code the join comes behind it.

    Args:
        channels: C of each map.
        gate_groups: See `EfficientAttentionGate`.
        gated: See `EfficientAttentionGate`.
        psa_groups: See `PyramidSplitAttention`.
        psa_reduction: See `PyramidSplitAttention`.
    """

    def __init__(
        self,
        channels: int,
        gate_groups: int = 32,
        gated: Literal["skip", "decoder"] = "skip",
        psa_groups: Sequence[int] = (1, 4, 8, 16),
        psa_reduction: int = 16,
    ) -> None:
        super().__init__()
        self.eag = EfficientAttentionGate(channels, gate_groups, gated)
        self.psa = PyramidSplitAttention(2 * channels, psa_groups, psa_reduction)

    def forward(self, decoder: Tensor, skip: Tensor) -> Tensor:
        """Return (N, 2C, H, W) of two maps (N, C, H, W)."""
        return self.psa(torch.cat([self.eag(decoder, skip), decoder], dim=1))
