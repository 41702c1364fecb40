"""Blocks of HTC-Net that join maps and weigh their channels, pixels and scales."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmseg_ext.models.blocks.convolutions import conv_bn_relu


class ChannelSpatialFusion(nn.Module):
    """Reduce joined maps by a path that weighs channels and one that weighs pixels ("UA" in HTC-Net's code).

    Args:
        in_channels: Channels of the joined maps.
        channels: Channels of the output, an even number.
    """

    def __init__(self, in_channels: int, channels: int) -> None:
        super().__init__()
        wide = 2 * channels
        self.reduce_expand = nn.Sequential(
            conv_bn_relu(in_channels, channels, bias=False),
            nn.Conv2d(channels, wide, 3, padding=1, bias=False),
            nn.BatchNorm2d(wide),
        )
        self.shortcut = nn.Sequential(nn.Conv2d(in_channels, wide, 1, bias=False), nn.BatchNorm2d(wide))
        self.channel_gate = nn.Sequential(nn.Linear(wide, channels // 2), nn.ReLU(), nn.Linear(channels // 2, wide))
        self.channel_out = conv_bn_relu(wide, channels, bias=False)
        self.pixel_gate = nn.Conv2d(2, 1, 7, padding=3)
        self.pixel_out = conv_bn_relu(in_channels, channels, bias=False)

    def forward(self, inputs: Tensor) -> Tensor:
        """Return (N, channels, H, W) for (N, in_channels, H, W)."""
        found = self.reduce_expand(inputs)
        means, maxima = found.mean((2, 3)), found.amax((2, 3))
        gate = self.channel_gate(means).sigmoid() + self.channel_gate(maxima).sigmoid()
        by_channel = self.channel_out(F.relu(gate[..., None, None] * found + self.shortcut(inputs)))
        profile = torch.cat([inputs.mean(1, keepdim=True), inputs.amax(1, keepdim=True)], dim=1)
        by_pixel = self.pixel_out(inputs * self.pixel_gate(profile).sigmoid())
        return by_channel + by_pixel


class DilatedFusion(nn.Module):
    """Blend three dilated convolutions with weights for each pixel ("TMF" in HTC-Net's code).

    The blend enters with a learned share that starts at 0.

    Args:
        channels: Channels of the map, a multiple of 16.
        dilations: Dilation of each branch.
    """

    def __init__(self, channels: int, dilations: tuple[int, ...] = (1, 3, 5)) -> None:
        super().__init__()
        self.branches = nn.ModuleList(
            nn.Conv2d(channels, channels, 3, padding=dilation, dilation=dilation) for dilation in dilations
        )
        self.channel_gate = nn.Sequential(
            nn.Linear(channels, channels // 16, bias=False),
            nn.ReLU(),
            nn.Linear(channels // 16, channels, bias=False),
            nn.Sigmoid(),
        )
        self.project = nn.Conv2d(channels, channels, 1)
        self.weigh = nn.Sequential(
            nn.Conv2d(channels, channels, 1),
            nn.ReLU(),
            nn.Conv2d(channels, len(dilations), 3, padding=1),
            nn.Softmax(dim=1),
        )
        self.gamma = nn.Parameter(torch.zeros(1))
        self.out = conv_bn_relu(channels, channels, 1, bias=False)

    def forward(self, inputs: Tensor) -> Tensor:
        """Return a map of the shape of the input, (N, C, H, W)."""
        found = [branch(inputs) for branch in self.branches]
        found = [self.project(item * self.channel_gate(item.mean((2, 3)))[..., None, None]) for item in found]
        weights = self.weigh(torch.stack(found).sum(0))
        blend = (weights[:, :, None] * torch.stack(found, dim=1)).sum(1)
        return self.out(F.relu(self.gamma * blend + (1 - self.gamma) * inputs))
