"""SwinPA-Net between its encoder and its last layer."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmseg_ext.models.blocks.convolutions import conv_bn_relu
from mmseg_ext.registry import MODELS


@MODELS.register_module()
class SwinPANeck(BaseModule):
    """Dense multiplicative connections, local pyramid attention and decoder of SwinPA-Net.

    Paper: Du, Wang, Liu, Wang, Meijering, "SwinPA-Net: Swin Transformer-Based Multiscale Feature Pyramid Aggregation
    Network for Medical Image Segmentation", IEEE TNNLS 35(4):5355-5366 (2024), doi 10.1109/TNNLS.2022.3204090; released
    code wjiazheng/SwinPA-Net.

    With a Swin-B encoder of window 12, a 1 x 1 head, three input channels, nine classes and 224 x 224 input the network
    has 102,791,177 parameters, all live, and 33.36 G multiply-adds (window 7: 102,655,817 and 23.30 G), as measured on
    the released code (commit 4eb0d40). That code holds 14,211,328 more, in superseded modules that never run; they are
    not built here.

    Details of the released code that are kept: the decoder's convolutions have no activation, and each level uses one
    convolution twice.

    Args:
        channels: Channels of the encoder's maps, from the largest map on; doubled from map to map.
        out_channels: Channels of the result.
        init_cfg: MMEngine's initialisation config.
    """

    def __init__(self, channels: Sequence[int], out_channels: int, init_cfg: dict | None = None) -> None:
        super().__init__(init_cfg)
        self.connections = MultiplicativeConnections(channels)
        self.attentions = nn.ModuleList(LocalPyramidAttention(width) for width in channels)
        self.decoder = nn.ModuleList(
            conv_bn_relu(wide, narrow, bias=False)[:2]
            for narrow, wide in zip(channels[-2::-1], channels[:0:-1], strict=True)
        )
        self.out = nn.Sequential(nn.Conv2d(channels[0], out_channels, 3, padding=1, bias=False), nn.ReLU())

    def forward(self, maps: Sequence[Tensor]) -> tuple[Tensor]:
        """Return one map (N, out_channels, h, w) for maps (N, channels[i], h / 2^i, w / 2^i)."""
        *skips, found = (attend(item) for attend, item in zip(self.attentions, self.connections(maps), strict=True))
        for convolve in self.decoder:
            found = convolve(torch.cat([convolve(_doubled(found)), skips.pop()], dim=1))
        return (self.out(found),)


class MultiplicativeConnections(nn.Module):
    """Multiply each map, convolved, with the result of the next smaller one, convolved and upsampled (section III-B).

    Args:
        channels: Channels of the maps, from the largest map on.
    """

    def __init__(self, channels: Sequence[int]) -> None:
        super().__init__()
        self.lateral = nn.ModuleList(conv_bn_relu(width, width, bias=False) for width in channels[:-1])
        self.from_smaller = nn.ModuleList(conv_bn_relu(wide, narrow, bias=False) for narrow, wide in pairwise(channels))

    def forward(self, maps: Sequence[Tensor]) -> list[Tensor]:
        """Return maps of the shapes of the inputs; the smallest passes unchanged."""
        found = [maps[-1]]
        for level in reversed(range(len(maps) - 1)):
            found.insert(0, _doubled(self.from_smaller[level](found[0])) * self.lateral[level](maps[level]))
        return found


class LocalPyramidAttention(nn.Module):
    """Weigh channels, then pixels, of the whole map and of each of its quarters; the sum of both (section III-C).

    Args:
        channels: Channels of the map, a multiple of 8.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.channel_gate = nn.Sequential(
            nn.Linear(channels, channels // 8, bias=False), nn.ReLU(), nn.Linear(channels // 8, channels, bias=False)
        )
        self.pixel_gate = nn.Conv2d(2, 1, 3, padding=1, bias=False)

    def forward(self, inputs: Tensor) -> Tensor:
        """Return a map of the shape of the input, (N, C, H, W); of an odd side the first half has one pixel more."""
        quarters = [torch.cat([self._attend(part) for part in rows.chunk(2, 3)], dim=3) for rows in inputs.chunk(2, 2)]
        return self._attend(inputs) + torch.cat(quarters, dim=2)

    def _attend(self, region: Tensor) -> Tensor:
        gate = self.channel_gate(region.mean((2, 3))) + self.channel_gate(region.amax((2, 3)))
        region = region * gate.sigmoid()[..., None, None]
        profile = torch.cat([region.mean(1, keepdim=True), region.amax(1, keepdim=True)], dim=1)
        return region * self.pixel_gate(profile).sigmoid()


def _doubled(maps: Tensor) -> Tensor:
    return F.interpolate(maps, scale_factor=2, mode="bilinear", align_corners=True)
