"""The decoder of EMCAD."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from mmengine.model import BaseModule
from torch import Tensor, nn

from mmseg_ext.models.blocks.attention_gate import AttentionGate
from mmseg_ext.models.blocks.gates import ChannelGate, PixelGate
from mmseg_ext.registry import MODELS


@MODELS.register_module()
class EMCADDecoder(BaseModule):
    """Efficient multi-scale convolutional attention decoding (Rahman et al. 2024, arXiv:2405.06880, section 3.1).

    On the maps of PVTv2-B2 it has 1,913,515 parameters and 0.366 GMAC at 224 x 224. With the encoder and four heads
    with one output the network has 26,764,399, all live, and 4.39 GMAC (B0: 3,916,783 and 0.668); the released one
    (github.com/SLDGroup/EMCAD, commit e48f54e, counted there) has 12 more, a unit for grey images which it builds for
    colour images too.

    As in that code, and not in the figures of the paper, all levels share one gate over pixels. The shuffle of channels
    after upsampling has as many groups as channels there, which changes nothing; it is left out.

    Args:
        channels: Channels of the encoder's maps, the finest first; even.
        init_cfg: See `mmengine.model.BaseModule`; convolutions start from a normal of 0.02 by default.
    """

    def __init__(self, channels: Sequence[int], init_cfg: Any = None) -> None:
        super().__init__(init_cfg or dict(type="Normal", layer="Conv2d", std=0.02))
        coarse_to_fine = list(channels[::-1])
        self.pixel_gate = PixelGate()
        self.channel_gates = nn.ModuleList(ChannelGate(width, max(1, width // 16)) for width in coarse_to_fine)
        self.blocks = nn.ModuleList(MultiScaleBlock(width) for width in coarse_to_fine)
        self.ups = nn.ModuleList(_upsampling(below, width) for below, width in pairwise(coarse_to_fine))
        self.skip_gates = nn.ModuleList(
            # Compared in groups of two channels ("LGAG").
            AttentionGate(width, width // 2, kernel_size=3, groups=width // 2)
            for width in coarse_to_fine[1:]
        )

    def forward(self, maps: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """Return the decoded maps, of the shapes of the encoder's maps but the coarsest first."""
        skips = list(maps)
        found = [self._attend(0, skips.pop())]
        for level, (up, gate) in enumerate(zip(self.ups, self.skip_gates, strict=True), start=1):
            raised = up(found[-1])
            found.append(self._attend(level, raised + gate(raised, skips.pop())))
        return tuple(found)

    def _attend(self, level: int, maps: Tensor) -> Tensor:
        return self.blocks[level](self.pixel_gate(self.channel_gates[level](maps)))


class MultiScaleBlock(nn.Module):
    """Depthwise convolutions of three sizes side by side in twice the channels, summed, with a shortcut ("MSCB").

    Args:
        channels: C.
        kernels: Sizes of the convolutions, odd.
    """

    def __init__(self, channels: int, kernels: Sequence[int] = (1, 3, 5)) -> None:
        super().__init__()
        wide = 2 * channels
        self.expand = _conv_bn_relu6(channels, wide, 1)
        self.scales = nn.ModuleList(_conv_bn_relu6(wide, wide, kernel, groups=wide) for kernel in kernels)
        self.shuffle = nn.ChannelShuffle(channels)
        self.reduce = nn.Sequential(nn.Conv2d(wide, channels, 1, bias=False), nn.BatchNorm2d(channels))

    def forward(self, maps: Tensor) -> Tensor:
        """Return maps of the same shape (N, C, H, W)."""
        wide = self.expand(maps)
        return maps + self.reduce(self.shuffle(sum(scale(wide) for scale in self.scales)))


def _upsampling(in_channels: int, out_channels: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Upsample(scale_factor=2),
        nn.Conv2d(in_channels, in_channels, 3, padding=1, groups=in_channels, bias=False),
        nn.BatchNorm2d(in_channels),
        nn.ReLU(inplace=True),
        nn.Conv2d(in_channels, out_channels, 1),
    )


def _conv_bn_relu6(in_channels: int, out_channels: int, kernel: int, groups: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, kernel, padding=kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(out_channels),
        nn.ReLU6(inplace=True),
    )
