"""Gates after CBAM (Woo et al. 2018, arXiv:1807.06521): a weight for each channel, or for each pixel."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class ChannelGate(nn.Module):
    """Weigh channels by what a shared MLP makes of their means and of their maxima.

    Args:
        channels: C.
        hidden: Width of the MLP.
    """

    def __init__(self, channels: int, hidden: int) -> None:
        super().__init__()
        self.mlp = nn.Sequential(
            nn.Conv2d(channels, hidden, 1, bias=False),
            nn.ReLU(inplace=True),
            nn.Conv2d(hidden, channels, 1, bias=False),
        )

    def forward(self, maps: Tensor) -> Tensor:
        """Return the weighted maps (N, C, H, W)."""
        gate = self.mlp(maps.mean((2, 3), keepdim=True)) + self.mlp(maps.amax((2, 3), keepdim=True))
        return maps * gate.sigmoid()


class PixelGate(nn.Module):
    """Weigh pixels by a 7 x 7 convolution of the mean and the maximum over channels.

    Args:
        normalised: Whether batch normalisation follows the convolution.
    """

    def __init__(self, normalised: bool = False) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(2, 1, 7, padding=3, bias=False)
        self.norm = nn.BatchNorm2d(1) if normalised else nn.Identity()

    def forward(self, maps: Tensor) -> Tensor:
        """Return the weighted maps (N, C, H, W)."""
        profile = torch.cat([maps.mean(1, keepdim=True), maps.amax(1, keepdim=True)], dim=1)
        return maps * self.norm(self.convolution(profile)).sigmoid()
