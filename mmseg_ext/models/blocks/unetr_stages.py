"""Blocks of convolutions, as UNETR and networks after it have them (Hatamizadeh et al. 2022, 2103.10504)."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

SLOPE = 0.01

Norm = Callable[[int], nn.Module]


class ResidualBlock(nn.Module):
    """Two normalised 3 x 3 convolutions without bias, and a shortcut that is convolved where channels change.

    Args:
        in_channels: Channels of the input.
        out_channels: Channels of the output.
        norm: Makes the normalisation of so many channels.
    """

    def __init__(self, in_channels: int, out_channels: int, norm: Norm) -> None:
        super().__init__()
        self.residual = nn.Sequential(*_two_convolutions(in_channels, out_channels, norm))
        self.shortcut = (
            nn.Identity()
            if in_channels == out_channels
            else nn.Sequential(nn.Conv2d(in_channels, out_channels, 1, bias=False), norm(out_channels))
        )

    def forward(self, maps: Tensor) -> Tensor:
        """Return (N, out_channels, H, W) for (N, in_channels, H, W)."""
        return F.leaky_relu(self.residual(maps) + self.shortcut(maps), SLOPE)


class PlainBlock(nn.Sequential):
    """Two normalised 3 x 3 convolutions without bias.

    Args:
        in_channels: Channels of the input (N, in_channels, H, W).
        out_channels: Channels of the output (N, out_channels, H, W).
        norm: Makes the normalisation of so many channels.
    """

    def __init__(self, in_channels: int, out_channels: int, norm: Norm) -> None:
        super().__init__(*_two_convolutions(in_channels, out_channels, norm), nn.LeakyReLU(SLOPE, inplace=True))


class UpStage(nn.Module):
    """Double the map by a transposed convolution without bias, join the skip, apply a block.

    Args:
        in_channels: Channels of the coarse map.
        out_channels: Channels of the skip and of the output.
        norm: Makes the normalisation of so many channels.
        block: Kind of the block.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        norm: Norm,
        block: type[ResidualBlock | PlainBlock] = ResidualBlock,
    ) -> None:
        super().__init__()
        self.up = nn.ConvTranspose2d(in_channels, out_channels, 2, 2, bias=False)
        self.block = block(2 * out_channels, out_channels, norm)

    def forward(self, coarse: Tensor, skip: Tensor) -> Tensor:
        """Return maps of the shape of the skip (N, out_channels, 2 h, 2 w) for a map (N, in_channels, h, w)."""
        return self.block(torch.cat([self.up(coarse), skip], dim=1))


def _two_convolutions(in_channels: int, out_channels: int, norm: Norm) -> list[nn.Module]:
    return [
        nn.Conv2d(in_channels, out_channels, 3, padding=1, bias=False),
        norm(out_channels),
        nn.LeakyReLU(SLOPE, inplace=True),
        nn.Conv2d(out_channels, out_channels, 3, padding=1, bias=False),
        norm(out_channels),
    ]
