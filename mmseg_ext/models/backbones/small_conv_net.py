"""A convolutional encoder small enough for one CPU core."""

from __future__ import annotations

from collections.abc import Sequence

from mmengine.model import BaseModule
from torch import Tensor, nn

from mmseg_ext.models.blocks.convolutions import double_conv
from mmseg_ext.registry import MODELS


@MODELS.register_module()
class SmallConvNet(BaseModule):
    """Stages of two 3 x 3 convolutions with normalisation and ReLU, each on a map of half the height and width.

    Stands where the published networks have a ResNet; from scratch.

    Args:
        in_channels: Channels of the image (N, in_channels, H, W).
        widths: Channels of each stage, the finest first; the map of stage i has stride `2 ** (i + 1)`.
        first: The first stage whose map is returned.
        init_cfg: MMEngine's initialisation config.
    """

    def __init__(self, in_channels: int, widths: Sequence[int], first: int = 0, init_cfg: dict | None = None) -> None:
        super().__init__(init_cfg)
        self.first = first
        self.stem = nn.Conv2d(in_channels, widths[0], 3, stride=2, padding=1)
        self.stages = nn.ModuleList(
            double_conv(below, width, bias=False)
            for below, width in zip((widths[0], *widths[:-1]), widths, strict=True)
        )
        self.pool = nn.MaxPool2d(2)

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """Return the maps (N, widths[i], h_i, w_i) of the stages from `first` on, the finest first."""
        maps = [self.stages[0](self.stem(images))]
        for stage in self.stages[1:]:
            maps.append(stage(self.pool(maps[-1])))
        return tuple(maps[self.first :])
