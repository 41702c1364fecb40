"""Small layers that several parts of HiPerformer share."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

HEAVY = 512 * 1024
"""Products of input and output channels from which on a kernel larger than 1 x 1 is heavy."""


class HeavyConv2d(nn.Conv2d):
    """`nn.Conv2d` that computes in NCHW on a CPU, whatever the memory format of its input, which its output has again.

    There the gradient of the weights comes in NCHW: with weights in `channels_last` it would be copied in each step,
    and these have far more numbers than the small maps they work on.
    """

    def _apply(self, fn: Any, recurse: bool = True) -> HeavyConv2d:
        super()._apply(fn, recurse)
        if self.weight.device.type == "cpu":
            self.weight.data = self.weight.data.contiguous()
        return self

    def forward(self, x: Tensor) -> Tensor:
        """Return the convolved map."""
        if x.device.type != "cpu" or x.is_contiguous():
            return super().forward(x)
        return super().forward(x.contiguous()).contiguous(memory_format=torch.channels_last)


def convolution(in_channels: int, out_channels: int, kernel: int, **options: Any) -> nn.Conv2d:
    """Return a convolution that keeps the size; `options` are those of `nn.Conv2d`, `dilation` widens the padding."""
    heavy = kernel > 1 and options.get("groups", 1) == 1 and in_channels * out_channels >= HEAVY
    padding = options.get("dilation", 1) * (kernel // 2)
    return (HeavyConv2d if heavy else nn.Conv2d)(in_channels, out_channels, kernel, padding=padding, **options)


class ChannelLayerNorm(nn.LayerNorm):
    """Layer normalisation of each pixel over its channels, (N, C, H, W) to the same shape, eps 1e-6.

    It works on the last axis, so with the memory format `channels_last` nothing is copied.
    """

    def __init__(self, channels: int) -> None:
        super().__init__(channels, eps=1e-6)

    def forward(self, x: Tensor) -> Tensor:
        """Return the normalised map."""
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


def conv_norm(
    in_channels: int, out_channels: int, kernel: int = 1, *, act: nn.Module | None = None, **options: Any
) -> nn.Sequential:
    """Return a convolution that keeps the size, batch normalisation and, where given, an activation.

    `options` are those of `convolution`.
    """
    layers = [convolution(in_channels, out_channels, kernel, **options), nn.BatchNorm2d(out_channels)]
    return nn.Sequential(*layers, *([] if act is None else [act]))


def double_size(x: Tensor) -> Tensor:
    """Return the map at twice its height and width, bilinear with aligned corners."""
    return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=True)
