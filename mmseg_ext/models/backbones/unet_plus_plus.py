"""U-Net++: a U-Net whose skips are dense grids of convolutions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmseg_ext.models.blocks.convolutions import double_conv
from mmseg_ext.registry import MODELS


@MODELS.register_module()
class UNetPlusPlus(BaseModule):
    """U-Net++ up to the four maps of its top row (Zhou et al. 2018, arXiv:1807.10165, section 3.1).

    Node (i, j) lies on level i of the encoder and in column j; it reads all nodes before it on its level and the
    enlarged node (i + 1, j - 1). With three input channels and 1 x 1 heads with one output: 9,163,329 parameters with
    the last head and 9,163,428 with all four, all live, and 26.40 GMAC at 224 x 224 (counted on
    github.com/4uiiurz1/pytorch-nested-unet, commit 557ea02).

    As in that code, and not in the paper's, convolutions have batch normalisation, and maps are enlarged bilinearly
    with aligned corners. The prediction is that of the last head; the paper also has the mean of all four.

    Args:
        in_channels: Channels of the image (N, in_channels, H, W); H and W are multiples of 2 ** (levels - 1).
        widths: Channels of each level, full resolution first.
        init_cfg: See `mmengine.model.BaseModule`; PyTorch's own initialisation by default.
    """

    def __init__(self, in_channels: int, widths: Sequence[int] = (32, 64, 128, 256, 512), init_cfg: Any = None) -> None:
        super().__init__(init_cfg)
        self.levels = len(widths)
        self.nodes = nn.ModuleDict(
            {f"{level}_0": double_conv(below, widths[level]) for level, below in enumerate((in_channels, *widths[:-1]))}
        )
        for level, column in self._inner_nodes():
            read = column * widths[level] + widths[level + 1]
            self.nodes[f"{level}_{column}"] = double_conv(read, widths[level])

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """Return the nodes (0, 1), (0, 2), … at full resolution, (N, widths[0], H, W) each; the last is the deepest."""
        rows: list[list[Tensor]] = []
        for level in range(self.levels):
            read = F.max_pool2d(rows[-1][0], 2) if rows else images
            rows.append([self.nodes[f"{level}_0"](read)])
        for level, column in self._inner_nodes():
            raised = F.interpolate(rows[level + 1][column - 1], scale_factor=2, mode="bilinear", align_corners=True)
            rows[level].append(self.nodes[f"{level}_{column}"](torch.cat([*rows[level], raised], dim=1)))
        return tuple(rows[0][1:])

    def _inner_nodes(self) -> list[tuple[int, int]]:
        """Level and column of every node outside the encoder, in an order in which they can be computed."""
        return [(level, column) for column in range(1, self.levels) for level in range(self.levels - column)]
