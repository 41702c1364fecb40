"""Swin-UMamba: a U-Net whose encoder is VMamba."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from mmengine.model import BaseModule
from torch import Tensor, nn

from mmseg_ext.models.blocks.swin_stages import PatchMerging, stochastic_depth
from mmseg_ext.models.blocks.unetr_stages import ResidualBlock, UpStage
from mmseg_ext.models.blocks.visual_state_space import StateSpaceBlock
from mmseg_ext.registry import MODELS


@MODELS.register_module()
class SwinUMamba(BaseModule):
    """Swin-UMamba (Liu et al. 2024, arXiv:2402.03302, section 2) up to its decoder's maps.

    With three input channels and four 1 x 1 heads with one output: 59,885,620 parameters, all live, and 31.28 GMAC at
    224 x 224, the scans not counted (on github.com/JiarunLiu/Swin-UMamba, commit 2c1f72e, counted there). A scan takes
    about 3 multiply-adds and an exponential for each of 0.212 G elements.

    As in that code stochastic depth is 0.2 whatever is asked for. The state space blocks have no MLP. Its encoder
    starts from VMamba trained on ImageNet and is frozen at first; that belongs to a method's config.

    Args:
        in_channels: Channels of the image.
        stem: Channels of the stem, and of the result.
        widths: Channels of the encoder's stages at 1/4, 1/8, 1/16 and 1/32; each is twice the one before.
        depths: State space blocks of each stage.
        states: States of each scanned channel.
        drop_path: Stochastic depth of the last block; it rises linearly from 0.
        init_cfg: See `mmengine.model.BaseModule`; by default linear layers start from a normal of 0.02.
    """

    def __init__(
        self,
        in_channels: int,
        stem: int = 48,
        widths: Sequence[int] = (96, 192, 384, 768),
        depths: Sequence[int] = (2, 2, 9, 2),
        states: int = 16,
        drop_path: float = 0.2,
        init_cfg: Any = None,
    ) -> None:
        super().__init__(init_cfg or dict(type="TruncNormal", layer="Linear", std=0.02, bias=0.0))
        self.stem = nn.Sequential(nn.Conv2d(in_channels, stem, 7, 2, padding=3), nn.InstanceNorm2d(stem, affine=True))
        self.patch_embedding = nn.Conv2d(stem, widths[0], 2, 2)
        self.patch_norm = nn.LayerNorm(widths[0])
        self.stages = nn.ModuleList(
            nn.Sequential(*(StateSpaceBlock(width, states, rate) for rate in rates))
            for width, rates in zip(widths, stochastic_depth(drop_path, depths), strict=True)
        )
        self.merges = nn.ModuleList(PatchMerging(width) for width in widths[:-1])

        levels = (in_channels, stem, *widths[:-1])
        skips = (stem, *widths)
        self.skips = nn.ModuleList(ResidualBlock(*pair, nn.InstanceNorm2d) for pair in zip(levels, skips, strict=True))
        upwards = pairwise((widths[-1], *skips[::-1]))
        self.decoder = nn.ModuleList(UpStage(*pair, nn.InstanceNorm2d) for pair in upwards)
        self.out = ResidualBlock(stem, stem, nn.InstanceNorm2d)

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """Return the decoder's maps from 1/16 to the full resolution (N, stem, H, W), which is last.

        Args:
            images: (N, in_channels, H, W); H and W are multiples of 32.
        """
        levels = [images, self.stem(images)]
        maps = self.patch_norm(self.patch_embedding(levels[-1]).permute(0, 2, 3, 1))
        for index, stage in enumerate(self.stages):
            maps = stage(self.merges[index - 1](maps) if index else maps)
            levels.append(maps.permute(0, 3, 1, 2))
        maps = levels.pop()
        found = []
        for stage, skip in zip(self.decoder, reversed(self.skips), strict=True):
            maps = stage(maps, skip(levels.pop()))
            found.append(maps)
        return *found[:-1], self.out(found[-1])
