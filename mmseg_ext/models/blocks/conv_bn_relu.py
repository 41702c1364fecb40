"""Convolution, batch normalisation, ReLU."""

from __future__ import annotations

from torch import nn


def conv_bn(in_channels: int, out_channels: int, kernel: int = 3, *, bias: bool = False) -> nn.Sequential:
    """Return a convolution that keeps height and width, then batch normalisation."""
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, kernel, padding=kernel // 2, bias=bias),
        nn.BatchNorm2d(out_channels),
    )


def conv_bn_relu(in_channels: int, out_channels: int, kernel: int = 3, *, bias: bool = False) -> nn.Sequential:
    """Return a convolution that keeps height and width, batch normalisation and ReLU."""
    return conv_bn(in_channels, out_channels, kernel, bias=bias).append(nn.ReLU())
