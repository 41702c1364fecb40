"""Small layers that several parts of HiPerformer share."""

from __future__ import annotations

from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn


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

    `options` are those of `nn.Conv2d`; `dilation` widens the padding.
    """
    padding = options.get("dilation", 1) * (kernel // 2)
    layers = [nn.Conv2d(in_channels, out_channels, kernel, padding=padding, **options), nn.BatchNorm2d(out_channels)]
    return nn.Sequential(*layers, *([] if act is None else [act]))


def double_size(x: Tensor) -> Tensor:
    """Return the map at twice its height and width, bilinear with aligned corners."""
    return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=True)
