"""The local branch of HiPerformer: a convolutional encoder of dual-channel residual blocks."""

from __future__ import annotations

import torch
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmseg_ext.models.hiperformer_layers import conv_norm


class ResidualPath(nn.Module):
    """Two 3 x 3 convolutions with batch normalisation, and a shortcut.

    Equations 1 and 2 of the paper draw an identity shortcut and no normalisation; the number of channels changes in
    every block, so there is a projection (1 x 1 convolution, batch normalisation), as in the released code.
    """

    def __init__(self, in_channels: int, channels: int, dilation: int) -> None:
        super().__init__()
        self.first = conv_norm(in_channels, channels, 3, act=nn.ReLU(inplace=True), dilation=dilation, bias=False)
        self.second = conv_norm(channels, channels, 3, dilation=dilation, bias=False)
        self.shortcut = conv_norm(in_channels, channels, bias=False) if in_channels != channels else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """(N, in_channels, H, W) to (N, channels, H, W)."""
        return torch.relu_(self.second(self.first(x)) + self.shortcut(x))


class DuChResBlock(nn.Module):
    """Dual-channel residual block (paper, section III-B): a plain and a dilated path on one input, then fused.

    The dilation is not in the paper; it is 2 in the released code.
    """

    def __init__(self, in_channels: int, channels: int, dilation: int = 2) -> None:
        super().__init__()
        self.plain = ResidualPath(in_channels, channels, 1)
        self.dilated = ResidualPath(in_channels, channels, dilation)
        self.fuse = conv_norm(2 * channels, channels, act=nn.ReLU(inplace=True))

    def forward(self, x: Tensor) -> Tensor:
        """(N, in_channels, H, W) to (N, channels, H, W)."""
        return self.fuse(torch.cat([self.plain(x), self.dilated(x)], dim=1))


class LocalBranch(BaseModule):
    """Convolutional encoder: a strided stem, then four times pooling and a `DuChResBlock`.

    Args:
        in_channels: Channels of the image.
        channels: Of the stem; each stage doubles them (64 gives 128, 256, 512, 1024).
    """

    def __init__(self, in_channels: int = 3, channels: int = 64) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(in_channels, channels, 7, stride=2, padding=3), nn.BatchNorm2d(channels), nn.ReLU(inplace=True)
        )
        self.stages = nn.ModuleList(DuChResBlock(channels << i, channels << (i + 1)) for i in range(4))
        self.pool = nn.MaxPool2d(2)

    def forward(self, x: Tensor) -> list[Tensor]:
        """Return the maps at a quarter to a thirty-second of the image's size."""
        x = self.stem(x)
        maps = []
        for stage in self.stages:
            x = stage(self.pool(x))
            maps.append(x)
        return maps
