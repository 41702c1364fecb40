"""Pixel decoder of networks whose queries predict masks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmseg_ext.registry import MODELS


@MODELS.register_module()
class FPNPixelDecoder(BaseModule):
    """Feature pyramid with one more map for the masks (MaskFormer, arXiv:2107.06278, section 4.1).

    Args:
        in_channels: Channels of the backbone's maps, the finest first.
        channels: Channels of all results, a multiple of 8.
        enhancement: Config of a module that refines the results, `MultiScaleEnhancement`; none by default.
        init_cfg: MMEngine's initialisation config.
    """

    def __init__(
        self,
        in_channels: Sequence[int],
        channels: int,
        enhancement: dict[str, Any] | None = None,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        self.laterals = nn.ModuleList(_conv_norm(width, channels, 1) for width in in_channels)
        self.outputs = nn.ModuleList(
            nn.Sequential(_conv_norm(channels, channels, 3), nn.ReLU(inplace=True)) for _ in in_channels
        )
        self.mask_features = nn.Conv2d(channels, channels, 3, padding=1)
        self.enhancement = None if enhancement is None else MODELS.build(enhancement)

    def forward(self, maps: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """Return one map (N, channels, h, w) for each of the backbone's but the finest, coarsest first, then the mask
        features at the size of the finest.

        Args:
            maps: (N, in_channels[i], h_i, w_i), the finest first.
        """
        found: list[Tensor] = []
        for item, lateral, output in list(zip(maps, self.laterals, self.outputs, strict=True))[::-1]:
            side = lateral(item)
            if found:
                side = side + F.interpolate(found[-1], size=side.shape[-2:], mode="nearest")
            found.append(output(side))
        found[-1] = self.mask_features(found[-1])
        return tuple(found) if self.enhancement is None else self.enhancement(found)


def _conv_norm(in_channels: int, channels: int, kernel_size: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(in_channels, channels, kernel_size, padding=kernel_size // 2, bias=False),
        nn.GroupNorm(max(1, channels // 8), channels),
    )
