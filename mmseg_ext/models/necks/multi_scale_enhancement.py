"""Multi-scale feature enhancement of Split Matching."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmseg_ext.registry import MODELS


@MODELS.register_module()
class MultiScaleEnhancement(BaseModule):
    r"""Refine decoder maps by residuals gathered over several scales (Split Matching, arXiv:2505.05023, MFE).

    Public text says only that MFE refines decoder features by residual multi-scale aggregation. All else is ours:

    .. math:: P'_l = P_l + W_l \sum_r up(f_{l,r}(pool_r(P_l))), \qquad P''_l = P'_l + V_l\, up(P''_{l+1})

    with f a 3 x 3 depthwise and a 1 x 1 convolution, group normalisation and GELU; the mask features receive the finest
    map in the same way. W and V are 1 x 1 convolutions that start at zero, so an untrained module changes nothing.

    Args:
        channels: Channels of all maps.
        levels: Maps before the mask features.
        scales: Factors r by which a map is pooled.
        pooled: Whether to apply the first residual.
        top_down: Whether to apply the second.
        init_cfg: MMEngine's initialisation config.
    """

    def __init__(
        self,
        channels: int,
        levels: int = 3,
        scales: Sequence[int] = (1, 2, 4),
        pooled: bool = True,
        top_down: bool = True,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        self.scales = tuple(scales)
        self.branches = nn.ModuleList(
            nn.ModuleList(_branch(channels) for _ in self.scales) for _ in range(levels if pooled else 0)
        )
        self.mixes = nn.ModuleList(_zero_conv(channels) for _ in range(levels if pooled else 0))
        self.descents = nn.ModuleList(_zero_conv(channels) for _ in range(levels if top_down else 0))

    def forward(self, maps: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """Return maps of the shapes of the inputs.

        Args:
            maps: (N, C, h_i, w_i), the coarsest first and the mask features last.
        """
        *levels, mask_features = maps
        if self.mixes:
            levels = [
                item + mix(self._gather(item, branches))
                for item, mix, branches in zip(levels, self.mixes, self.branches, strict=True)
            ]
        found = [*levels, mask_features]
        if self.descents:
            for (coarse, fine), descent in zip(pairwise(range(len(found))), self.descents, strict=True):
                found[fine] = found[fine] + descent(_resized(found[coarse], found[fine]))
        return tuple(found)

    def _gather(self, item: Tensor, branches: nn.ModuleList) -> Tensor:
        pooled = (F.avg_pool2d(item, scale, ceil_mode=True, count_include_pad=False) for scale in self.scales)
        return sum(_resized(branch(small), item) for branch, small in zip(branches, pooled, strict=True))


def _branch(channels: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels, channels, 3, padding=1, groups=channels, bias=False),
        nn.Conv2d(channels, channels, 1, bias=False),
        nn.GroupNorm(max(1, channels // 8), channels),
        nn.GELU(),
    )


def _zero_conv(channels: int) -> nn.Conv2d:
    convolution = nn.Conv2d(channels, channels, 1)
    nn.init.zeros_(convolution.weight)
    nn.init.zeros_(convolution.bias)
    return convolution


def _resized(item: Tensor, like: Tensor) -> Tensor:
    return F.interpolate(item, size=like.shape[-2:], mode="bilinear", align_corners=False)
