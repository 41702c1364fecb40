"""SCUNet++: Swin-UNet with a convolutional bottom and dense skips."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmseg_ext.models.backbones.swin_unet import SwinUNet
from mmseg_ext.models.blocks.convolutions import conv_bn_relu, double_conv
from mmseg_ext.registry import MODELS


class ConvBottom(nn.Sequential):
    """Convolutions 1 x 1, 3 x 3, 1 x 1, each with normalisation and ReLU, on maps (N, h, w, C); no residual."""

    def __init__(self, channels: int) -> None:
        super().__init__(*(conv_bn_relu(channels, channels, kernel) for kernel in (1, 3, 1)))

    def forward(self, maps: Tensor) -> Tensor:
        """Return maps of the same shape."""
        return super().forward(maps.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)


class DenseSkips(nn.Module):
    """The nested skips of UNet++ over three encoder levels and the bottom (Zhou et al. 2018, arXiv:1807.10165).

    Node (level, step) reads all earlier nodes of its level and the upsampled node below it, in this order.

    Args:
        channels: Channels of the finest level; each coarser one has twice as many.
        levels: Encoder levels above the bottom.
    """

    def __init__(self, channels: int, levels: int = 3) -> None:
        super().__init__()
        self.levels = levels
        self.nodes = nn.ModuleDict()
        for step in range(1, levels + 1):
            for level in range(levels - step + 1):
                width = channels * 2**level
                # As released: only the very first node stays wide in between.
                middle = 2 * width if step == 1 and level == 0 else width
                self.nodes[f"{level}_{step}"] = double_conv((step + 2) * width, width, middle)

    def forward(self, encoder: list[Tensor], bottom: Tensor) -> list[Tensor]:
        """Return the last node of each level, the finest first; maps are (N, C, H, W)."""
        rows = [[found] for found in (*encoder, bottom)]
        for step in range(1, self.levels + 1):
            for level in range(self.levels - step + 1):
                raised = F.interpolate(rows[level + 1][step - 1], scale_factor=2, mode="bilinear", align_corners=True)
                rows[level].append(self.nodes[f"{level}_{step}"](torch.cat([*rows[level], raised], dim=1)))
        return [row[-1] for row in rows[: self.levels]]


@MODELS.register_module()
class SCUNetPlusPlus(SwinUNet):
    """SCUNet++ (Chen et al. 2024, WACV, pages 7759-7767, arXiv:2312.14705, section 3).

    `SwinUNet` whose coarsest stage is three convolutions instead of transformer blocks, and whose skips pass through
    the nested nodes of UNet++; the bottom enters these before its normalisation. With a 1 x 1 head without bias for
    9 classes: 29,356,980 parameters, all live, 14.05 GMAC at 224 x 224. The authors' code
    (github.com/JustlfC03/SCUNet-plusplus, commit c965058) holds 63,025,764: it also builds the coarsest transformer
    blocks, which it skips, and a bottom in each other stage; neither is built here.

    Args:
        in_channels: Channels of the image; a grey one is repeated three times.
        **kwargs: Those of `SwinUNet`; four stages.
    """

    def __init__(self, in_channels: int, **kwargs: Any) -> None:
        super().__init__(in_channels, **kwargs)
        self.dense_skips = DenseSkips(self.patch_embedding.out_channels, len(self.stages))

    def build_bottom(self, stage: Any, channels: int) -> nn.Module:
        """Return the convolutions in place of the coarsest stage."""
        return ConvBottom(channels)

    def skips(self, before_stages: list[Tensor], bottom: Tensor) -> list[Tensor]:
        """Return the last nodes of the dense skips (N, H, W, C), the finest first."""
        encoder = [maps.permute(0, 3, 1, 2) for maps in before_stages]
        return [maps.permute(0, 2, 3, 1) for maps in self.dense_skips(encoder, bottom.permute(0, 3, 1, 2))]
