"""Swin-UNet: a U-shaped network of shifted-window transformers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmseg_ext.models.blocks.grey_images import repeat_grey, stem_channels
from mmseg_ext.models.blocks.swin_stages import PatchExpand, PatchMerging, SwinStage, stochastic_depth
from mmseg_ext.registry import MODELS

PATCH = 4


@MODELS.register_module()
class SwinUNet(BaseModule):
    """Swin-UNet, tiny encoder (Cao et al. 2022, doi:10.1007/978-3-031-25066-8_9, arXiv:2105.05537, section 3).

    Patches of 4 x 4 become tokens of 96 channels; four encoder stages of two blocks (96, 192, 384, 768 channels) with
    patch merging between them; the decoder mirrors the upper three with patch expanding, and a linear layer joins the
    skip, which is put behind. A last expanding by 4 yields 96 channels at full resolution. With a 1 x 1 head without
    bias for 9 classes: 27,168,900 parameters, all live, 6.11 GMAC at 224 x 224 (the authors' code,
    github.com/HuCaoFighting/Swin-Unet, commit f48f623, counted there).

    As in that code a skip is the input of an encoder stage, although the paper draws its output; windows do not shift
    in stages whose map one window covers at `image_size`; and a decoder stage has the stochastic depth of the encoder
    stage it mirrors. Ours: maps that windows do not divide are padded, where the released network stops.

    Args:
        in_channels: Channels of the image; a grey one is repeated three times.
        image_size: Height and width the network is made for; decides which stages shift their windows.
        channels: Channels of the first stage.
        depths: Blocks of each stage; the decoder has as many.
        heads: Attention heads of each stage.
        window: Side of a window in tokens.
        drop_path_rate: Stochastic depth of the last encoder block.
        init_cfg: See `mmengine.model.BaseModule`; linear layers start from a normal of 0.02 by default.
    """

    def __init__(
        self,
        in_channels: int,
        image_size: Sequence[int] = (224, 224),
        channels: int = 96,
        depths: Sequence[int] = (2, 2, 2, 2),
        heads: Sequence[int] = (3, 6, 12, 24),
        window: int = 7,
        drop_path_rate: float = 0.2,
        init_cfg: Any = None,
    ) -> None:
        super().__init__(init_cfg or dict(type="TruncNormal", layer="Linear", std=0.02, bias=0.0))
        widths = [channels * 2**stage for stage in range(len(depths))]
        rates = stochastic_depth(drop_path_rate, depths)

        def stage(index: int) -> SwinStage:
            shifts = min(image_size) // (PATCH * 2**index) > window
            return SwinStage(widths[index], heads[index], rates[index], window, shifts)

        self.patch_embedding = nn.Conv2d(stem_channels(in_channels), channels, PATCH, PATCH)
        self.patch_norm = nn.LayerNorm(channels)
        self.merges = nn.ModuleList(PatchMerging(width) for width in widths[:-1])
        self.stages = nn.ModuleList(stage(index) for index in range(len(depths) - 1))
        self.bottom = self.build_bottom(stage, widths[-1])
        self.bottom_norm = nn.LayerNorm(widths[-1])

        upwards = range(len(depths) - 2, -1, -1)
        self.expands = nn.ModuleList(PatchExpand(2 * widths[index], widths[index]) for index in upwards)
        self.joins = nn.ModuleList(nn.Linear(2 * widths[index], widths[index]) for index in upwards)
        self.decoder = nn.ModuleList(stage(index) for index in upwards)
        self.norm = nn.LayerNorm(channels)
        self.last_expand = PatchExpand(channels, channels, PATCH)

    def build_bottom(self, stage: Any, channels: int) -> nn.Module:
        """Return the network's coarsest part, maps (N, h, w, channels) to the same; here the last Swin stage."""
        return stage(len(self.stages))

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """Return the decoder's maps (N, C, H, W) from 1/16 to 1/4, and the full resolution last.

        Args:
            images: (N, in_channels, H, W); H and W are multiples of 32.
        """
        maps = self.patch_norm(self.patch_embedding(repeat_grey(images)).permute(0, 2, 3, 1))
        before_stages = []
        for stage, merge in zip(self.stages, self.merges, strict=True):
            before_stages.append(maps)
            maps = merge(stage(maps))
        maps = self.bottom(maps)
        skips = self.skips(before_stages, maps)
        maps = self.bottom_norm(maps)
        found = []
        for expand, join, stage in zip(self.expands, self.joins, self.decoder, strict=True):
            maps = stage(join(torch.cat([expand(maps), skips.pop()], dim=-1)))
            found.append(maps)
        found.append(self.last_expand(self.norm(maps)))
        return tuple(item.permute(0, 3, 1, 2) for item in found)

    def skips(self, before_stages: list[Tensor], bottom: Tensor) -> list[Tensor]:
        """Return what the decoder reads, the finest first; here the inputs of the encoder's stages.

        Args:
            before_stages: Maps (N, H, W, C), the finest first.
            bottom: The coarsest map, before its normalisation.
        """
        return before_stages
