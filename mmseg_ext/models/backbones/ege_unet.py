"""EGE-UNet: a very small U-Net of learned Hadamard products and grouped skips."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import torch
import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmseg_ext.models.blocks.grey_images import repeat_grey, stem_channels
from mmseg_ext.models.hiperformer_layers import ChannelLayerNorm
from mmseg_ext.registry import MODELS


@MODELS.register_module()
class EGEUNet(BaseModule):
    """EGE-UNet (Ruan et al. 2023, arXiv:2307.08473) up to its last map, with the mask logits of each decoder level.

    With three input channels and one output: 53,374 parameters, all live, and 0.0552 GMAC at 224 x 224 (counted on
    github.com/JCruan519/EGE-UNet, commit f52ba30). A second output of the last layer adds 9.

    As in that code, a skip is joined with the mask's logits, not with its probabilities.

    Ours: two classes have one mask channel, as published; K classes have K - 1, and the background's logit is 0. The
    network returns logits, not probabilities. The masks are part of the network with or without losses on them.

    Args:
        in_channels: Channels of the image; a grey one is repeated three times.
        num_classes: K, background among them.
        widths: Channels of the six encoder stages, multiples of 4.
        init_cfg: See `mmengine.model.BaseModule`; by default convolutions start from a normal scaled by the fan-out.
    """

    def __init__(
        self,
        in_channels: int,
        num_classes: int,
        widths: Sequence[int] = (8, 16, 24, 32, 48, 64),
        init_cfg: Any = None,
    ) -> None:
        super().__init__(init_cfg or dict(type="Kaiming", layer=["Conv2d", "Conv1d"], mode="fan_out"))
        masks = max(1, num_classes - 1)
        convolutions = zip((stem_channels(in_channels), *widths[:2]), widths[:3], strict=True)
        self.encoder = nn.ModuleList(nn.Conv2d(below, width, 3, padding=1) for below, width in convolutions)
        self.encoder.extend(HadamardAttention(below, width) for below, width in pairwise(widths[2:]))
        self.encoder_norms = nn.ModuleList(nn.GroupNorm(4, width) for width in widths[:-1])
        coarse_to_fine = list(pairwise(widths[::-1]))
        self.decoder = nn.ModuleList(
            HadamardAttention(below, width) if level < 3 else nn.Conv2d(below, width, 3, padding=1)
            for level, (below, width) in enumerate(coarse_to_fine)
        )
        self.decoder_norms = nn.ModuleList(nn.GroupNorm(4, width) for _, width in coarse_to_fine)
        self.masks = nn.ModuleList(nn.Conv2d(width, masks, 1) for _, width in coarse_to_fine)
        self.bridges = nn.ModuleList(GroupAggregation(below, width, masks) for below, width in coarse_to_fine)

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """Return the mask logits (N, masks, h, w) from 1/32 to 1/2, then the last map (N, widths[0], H / 2, W / 2).

        Args:
            images: (N, in_channels, H, W); H and W are multiples of 32.
        """
        found = repeat_grey(images)
        skips = []
        for stage, norm in zip(self.encoder[:-1], self.encoder_norms, strict=True):
            found = F.gelu(F.max_pool2d(norm(stage(found)), 2))
            skips.append(found)
        found = bridged = F.gelu(self.encoder[-1](found))
        logits = []
        levels = zip(self.decoder, self.decoder_norms, self.masks, self.bridges, strict=True)
        for level, (stage, norm, mask, bridge) in enumerate(levels):
            found = norm(stage(found))
            if level > 0:
                found = F.interpolate(found, scale_factor=2, mode="bilinear", align_corners=True)
            found = F.gelu(found)
            logits.append(mask(found))
            bridged = bridge(bridged, skips.pop(), logits[-1])
            found = found + bridged
        return (*logits, found)


class HadamardAttention(nn.Module):
    """Multiply quarters of the channels with learned maps over rows and columns, rows, and columns ("GHPA").

    The maps have 8 cells a side and are resized to the input; the fourth quarter passes depthwise convolutions.

    Args:
        in_channels: C, a multiple of 4.
        out_channels: Channels of the output.
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        quarter = in_channels // 4
        self.norm_in = ChannelLayerNorm(in_channels)
        self.plane = nn.Parameter(torch.ones(1, quarter, 8, 8))
        self.rows = nn.Parameter(torch.ones(1, 1, quarter, 8))
        self.columns = nn.Parameter(torch.ones(1, 1, quarter, 8))
        self.of_plane = _depthwise_pointwise(nn.Conv2d, quarter, quarter)
        self.of_rows = _depthwise_pointwise(nn.Conv1d, quarter, quarter)
        self.of_columns = _depthwise_pointwise(nn.Conv1d, quarter, quarter)
        self.local = nn.Sequential(
            nn.Conv2d(quarter, quarter, 1), nn.GELU(), nn.Conv2d(quarter, quarter, 3, padding=1, groups=quarter)
        )
        self.norm_out = ChannelLayerNorm(in_channels)
        self.out = _depthwise_pointwise(nn.Conv2d, in_channels, out_channels)

    def forward(self, maps: Tensor) -> Tensor:
        """Return (N, out_channels, H, W) for (N, in_channels, H, W)."""
        first, second, third, fourth = self.norm_in(maps).chunk(4, dim=1)
        height, width = maps.shape[-2:]
        by_row = self.of_rows(_resized(self.rows, (second.shape[1], height))[0])
        by_column = self.of_columns(_resized(self.columns, (third.shape[1], width))[0])
        quarters = [
            first * self.of_plane(_resized(self.plane, (height, width))),
            second * by_row[..., None],
            third * by_column[:, :, None],
            self.local(fourth),
        ]
        return self.out(self.norm_out(torch.cat(quarters, dim=1)))


class GroupAggregation(nn.Module):
    """Join a skip, what came from below and the mask in four groups of different dilation ("GAB").

    Args:
        high_channels: Channels of the map from below.
        low_channels: Channels C of the skip, a multiple of 4.
        masks: Channels of the mask.
        dilations: Dilation of each group.
    """

    def __init__(
        self, high_channels: int, low_channels: int, masks: int, dilations: Sequence[int] = (1, 2, 5, 7)
    ) -> None:
        super().__init__()
        self.reduce = nn.Conv2d(high_channels, low_channels, 1)
        group = low_channels // 2 + masks
        self.groups = nn.ModuleList(
            nn.Sequential(
                ChannelLayerNorm(group),
                nn.Conv2d(group, group, 3, padding=dilation, dilation=dilation, groups=group),
            )
            for dilation in dilations
        )
        self.out = nn.Sequential(ChannelLayerNorm(4 * group), nn.Conv2d(4 * group, low_channels, 1))

    def forward(self, high: Tensor, low: Tensor, mask: Tensor) -> Tensor:
        """Return (N, C, H, W) for a map from below (N, ., h, w), a skip (N, C, H, W) and mask logits (N, ., H, W)."""
        high = _resized(self.reduce(high), low.shape[-2:])
        parts = zip(self.groups, high.chunk(4, dim=1), low.chunk(4, dim=1), strict=True)
        return self.out(torch.cat([group(torch.cat([*pair, mask], dim=1)) for group, *pair in parts], dim=1))


def _depthwise_pointwise(kind: type[nn.Conv1d | nn.Conv2d], in_channels: int, out_channels: int) -> nn.Sequential:
    return nn.Sequential(
        kind(in_channels, in_channels, 3, padding=1, groups=in_channels), nn.GELU(), kind(in_channels, out_channels, 1)
    )


def _resized(maps: Tensor, size: Sequence[int]) -> Tensor:
    return F.interpolate(maps, size=tuple(size), mode="bilinear", align_corners=True)
