"""The first stages of EfficientNet-B3."""

from __future__ import annotations

from typing import NamedTuple

import torch.nn.functional as F
from mmcv.cnn.bricks import DropPath
from torch import Tensor, nn


class _Stage(NamedTuple):
    blocks: int
    channels: int
    kernel: int
    stride: int
    expansion: int


STEM_CHANNELS = 40
STAGES = (_Stage(2, 24, 3, 1, 1), _Stage(3, 32, 3, 2, 6), _Stage(3, 48, 5, 2, 6))
ALL_BLOCKS = 26
DROP_PATH = 0.2


class EfficientNetB3Stages(nn.Module):
    """Stem and first three stages of EfficientNet-B3 (Tan and Le, ICML 2019, table 1 scaled by 1.2 and 1.4).

    Strided convolutions pad as TensorFlow does, the odd pixel to the right and bottom. Blocks are skipped at random
    with the rates of the whole network: 0.2 times the block's number divided by 26.

    Args:
        in_channels: Channels of the image.
    """

    CHANNELS = (STEM_CHANNELS, STAGES[1].channels, STAGES[2].channels)
    """Channels of the maps that are returned."""

    def __init__(self, in_channels: int) -> None:
        super().__init__()
        self.stem = nn.Sequential(_SameConv(in_channels, STEM_CHANNELS, 3, 2), _norm(STEM_CHANNELS), nn.SiLU())
        self.stages = nn.ModuleList()
        channels, number = STEM_CHANNELS, 0
        for stage in STAGES:
            blocks = nn.Sequential()
            for index in range(stage.blocks):
                stride = stage.stride if index == 0 else 1
                rate = DROP_PATH * number / ALL_BLOCKS
                blocks.append(_InvertedBottleneck(channels, stage, stride, rate))
                channels, number = stage.channels, number + 1
            self.stages.append(blocks)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return maps of 40, 32 and 48 channels at 1/2, 1/4 and 1/8 of the size of images (N, C, H, W)."""
        half = self.stem(images)
        quarter = self.stages[1](self.stages[0](half))
        return half, quarter, self.stages[2](quarter)


class _InvertedBottleneck(nn.Module):
    """Widen, filter each channel, weigh the channels, narrow; residual where the shape stays."""

    def __init__(self, in_channels: int, stage: _Stage, stride: int, drop_path: float) -> None:
        super().__init__()
        wide = in_channels * stage.expansion
        self.widen = nn.Sequential()
        if stage.expansion > 1:
            self.widen.extend([nn.Conv2d(in_channels, wide, 1, bias=False), _norm(wide), nn.SiLU()])
        self.filter = nn.Sequential(_SameConv(wide, wide, stage.kernel, stride, groups=wide), _norm(wide), nn.SiLU())
        self.gate = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),
            nn.Conv2d(wide, in_channels // 4, 1),
            nn.SiLU(),
            nn.Conv2d(in_channels // 4, wide, 1),
            nn.Sigmoid(),
        )
        self.narrow = nn.Sequential(nn.Conv2d(wide, stage.channels, 1, bias=False), _norm(stage.channels))
        self.residual = stride == 1 and in_channels == stage.channels
        self.drop_path = DropPath(drop_path)

    def forward(self, inputs: Tensor) -> Tensor:
        found = self.filter(self.widen(inputs))
        found = self.narrow(found * self.gate(found))
        return inputs + self.drop_path(found) if self.residual else found


class _SameConv(nn.Conv2d):
    """Convolution without bias whose output side is the input side, a multiple of the stride, over the stride."""

    def __init__(self, in_channels: int, out_channels: int, kernel: int, stride: int, groups: int = 1) -> None:
        super().__init__(in_channels, out_channels, kernel, stride, groups=groups, bias=False)
        missing = kernel - stride
        self.missing = (missing // 2, missing - missing // 2) * 2

    def forward(self, inputs: Tensor) -> Tensor:
        return super().forward(F.pad(inputs, self.missing))


def _norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=1e-3, momentum=0.01)
