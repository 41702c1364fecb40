"""The ResNet of Big Transfer as hybrid vision transformers use it: standardised weights, group normalisation."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

GROUPS = 32
GROUP_EPS = 1e-6


class StandardisedConv2d(nn.Conv2d):
    """Convolution whose every filter is standardised first (Qiao et al. 2019, arXiv:1903.10520)."""

    def forward(self, maps: Tensor) -> Tensor:
        """Return the convolved maps."""
        variance, mean = torch.var_mean(self.weight, dim=(1, 2, 3), keepdim=True, correction=0)
        weight = (self.weight - mean) * torch.rsqrt(variance + 1e-5)
        return F.conv2d(maps, weight, self.bias, self.stride, self.padding, self.dilation, self.groups)


class BottleneckUnit(nn.Module):
    """Bottleneck residual unit (1 x 1, 3 x 3, 1 x 1), normalised after each convolution.

    Args:
        in_channels: Channels of the input.
        out_channels: Channels of the output; a quarter of them inside.
        stride: Of the 3 x 3 convolution and of the shortcut.
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int) -> None:
        super().__init__()
        inner = out_channels // 4
        self.residual = nn.Sequential(
            StandardisedConv2d(in_channels, inner, 1, bias=False),
            nn.GroupNorm(GROUPS, inner, eps=GROUP_EPS),
            nn.ReLU(inplace=True),
            StandardisedConv2d(inner, inner, 3, stride, padding=1, bias=False),
            nn.GroupNorm(GROUPS, inner, eps=GROUP_EPS),
            nn.ReLU(inplace=True),
            StandardisedConv2d(inner, out_channels, 1, bias=False),
            nn.GroupNorm(GROUPS, out_channels, eps=GROUP_EPS),
        )
        self.shortcut = nn.Sequential()
        if stride != 1 or in_channels != out_channels:
            # As released: the shortcut is normalised channel by channel.
            self.shortcut = nn.Sequential(
                StandardisedConv2d(in_channels, out_channels, 1, stride, bias=False),
                nn.GroupNorm(out_channels, out_channels),
            )

    def forward(self, maps: Tensor) -> Tensor:
        """Return (N, out_channels, ceil(H / stride), ceil(W / stride))."""
        return F.relu(self.residual(maps) + self.shortcut(maps))


class StandardisedResNet(nn.Module):
    """Root convolution and three stages, down to a sixteenth of the image.

    Args:
        in_channels: Channels of the image (N, in_channels, H, W); H and W are multiples of 16 and at least 32.
        width: Channels of the root; the stages have 4, 8 and 16 times as many.
        units: Units of each stage.
    """

    def __init__(self, in_channels: int, width: int = 64, units: Sequence[int] = (3, 4, 9)) -> None:
        super().__init__()
        self.root = nn.Sequential(
            StandardisedConv2d(in_channels, width, 7, 2, padding=3, bias=False),
            nn.GroupNorm(GROUPS, width, eps=GROUP_EPS),
            nn.ReLU(inplace=True),
        )
        self.stages = nn.ModuleList()
        below = width
        for index, count in enumerate(units):
            channels = width * 4 * 2**index
            self.stages.append(
                nn.Sequential(
                    BottleneckUnit(below, channels, 1 if index == 0 else 2),
                    *(BottleneckUnit(channels, channels, 1) for _ in range(count - 1)),
                )
            )
            below = channels

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """Return maps at 1/2, 1/4, 1/8 and 1/16 of the image.

        The pooling is not padded, so the first stage lacks a row and a column; only the returned map is filled up with
        zeros, at the bottom and the right, as released.
        """
        maps = [self.root(images)]
        inner = F.max_pool2d(maps[0], 3, 2)
        for index, stage in enumerate(self.stages):
            inner = stage(inner)
            maps.append(F.pad(inner, (0, 1, 0, 1)) if index == 0 else inner)
        return tuple(maps)
