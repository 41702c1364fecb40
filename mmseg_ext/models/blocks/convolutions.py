"""Convolution, batch normalisation, ReLU: the unit of the convolutional networks."""

from __future__ import annotations

from torch import nn


def conv_bn_relu(in_channels: int, out_channels: int, kernel_size: int = 3, bias: bool = True) -> nn.Sequential:
    """Return a convolution that keeps height and width, batch normalisation and ReLU.

    Args:
        in_channels: Channels of the input (N, in_channels, H, W).
        out_channels: Channels of the output (N, out_channels, H, W).
        kernel_size: Odd.
        bias: Whether the convolution has one; the normalisation after it makes it redundant, but it counts.
    """
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, kernel_size, padding=kernel_size // 2, bias=bias),
        nn.BatchNorm2d(out_channels),
        nn.ReLU(inplace=True),
    )


def double_conv(in_channels: int, out_channels: int, middle: int | None = None, bias: bool = True) -> nn.Sequential:
    """Return two 3 x 3 units, `in_channels` to `middle` to `out_channels`; `middle` is `out_channels` if not given."""
    middle = out_channels if middle is None else middle
    return nn.Sequential(
        conv_bn_relu(in_channels, middle, bias=bias),
        conv_bn_relu(middle, out_channels, bias=bias),
    )
