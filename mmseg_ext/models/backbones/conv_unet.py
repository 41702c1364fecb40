"""U-Net in the batch-normalised form that tables of medical segmentation compare with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmseg_ext.models.blocks.convolutions import conv_bn_relu, double_conv
from mmseg_ext.registry import MODELS


@MODELS.register_module()
class ConvUNet(BaseModule):
    """U-Net (Ronneberger et al. 2015, arXiv:1505.04597) with batch normalisation and interpolation before convolution.

    Each level of the encoder is two 3 x 3 convolutions with bias, normalisation and ReLU, with 2 x 2 max-pooling in
    between. The decoder doubles by nearest neighbour, halves the channels by a 3 x 3 unit, puts the skip in front and
    applies two units. With a 1 x 1 head for 9 classes and three input channels: 34,527,561 parameters, all live, and
    50.06 GMAC at 224 x 224 (the `U_Net` of github.com/FengheTan9/U-Bench, commit eafbb9f, counted there).

    Deviations from the paper, as in every present-day version: padded instead of valid convolutions, normalisation, no
    dropout, interpolation instead of transposed convolution. Other networks of the same name in the literature are
    smaller: 31.0 M with transposed convolutions, 29.0 M in MMSegmentation (1 x 1 after upsampling), 14.8 M with a
    512-wide bottom.

    Args:
        in_channels: Channels of the image (N, in_channels, H, W); H and W are multiples of 2 ** (levels - 1).
        widths: Channels of each level, full resolution first.
        init_cfg: See `mmengine.model.BaseModule`; PyTorch's own initialisation by default.
    """

    def __init__(
        self, in_channels: int, widths: Sequence[int] = (64, 128, 256, 512, 1024), init_cfg: Any = None
    ) -> None:
        super().__init__(init_cfg)
        self.encoder = nn.ModuleList(
            double_conv(below, width) for below, width in zip((in_channels, *widths[:-1]), widths, strict=True)
        )
        coarse_to_fine = list(zip(widths[:0:-1], widths[-2::-1], strict=True))
        self.ups = nn.ModuleList(
            nn.Sequential(nn.Upsample(scale_factor=2), conv_bn_relu(below, width)) for below, width in coarse_to_fine
        )
        self.decoder = nn.ModuleList(double_conv(2 * width, width) for _, width in coarse_to_fine)

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """Return the map of each level, the bottom first and the full resolution (N, widths[0], H, W) last."""
        skips: list[Tensor] = []
        for stage in self.encoder:
            skips.append(stage(F.max_pool2d(skips[-1], 2) if skips else images))
        maps = [skips.pop()]
        for level, (up, stage) in enumerate(zip(self.ups, self.decoder, strict=True)):
            raised = up(maps[-1])
            maps.append(stage(torch.cat([self.skip(level, skips.pop(), raised), raised], dim=1)))
        return tuple(maps)

    def skip(self, level: int, skip: Tensor, raised: Tensor) -> Tensor:
        """Return what the decoder reads of a skip (N, C, H, W); here the skip itself.

        Args:
            level: Decoder level, coarsest first.
            skip: The encoder's map.
            raised: The decoder's map of the same shape, already upsampled.
        """
        return skip
