"""The residual-encoder U-Net of nnU-Net."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmseg_ext.registry import MODELS

SLOPE = 0.01


class ResidualUnit(nn.Module):
    """Two 3 x 3 convolutions with instance normalisation, and a shortcut.

    The shortcut averages 2 x 2 cells where the stride is 2, and projects where channels change.

    Args:
        in_channels: Channels of the input (N, in_channels, H, W).
        out_channels: Channels of the output.
        stride: 1 or 2.
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int) -> None:
        super().__init__()
        self.residual = nn.Sequential(
            conv_norm(in_channels, out_channels, 3, stride),
            nn.LeakyReLU(SLOPE, inplace=True),
            conv_norm(out_channels, out_channels, 3),
        )
        shortcut: list[nn.Module] = [nn.AvgPool2d(stride)] if stride > 1 else []
        if in_channels != out_channels:
            shortcut.append(conv_norm(in_channels, out_channels, 1, bias=False))
        self.shortcut = nn.Sequential(*shortcut)

    def forward(self, maps: Tensor) -> Tensor:
        """Return (N, out_channels, H / stride, W / stride)."""
        return F.leaky_relu(self.residual(maps) + self.shortcut(maps), SLOPE)


def conv_norm(in_channels: int, out_channels: int, kernel: int, stride: int = 1, bias: bool = True) -> nn.Sequential:
    """Return a convolution and an instance normalisation."""
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, kernel, stride, padding=kernel // 2, bias=bias),
        nn.InstanceNorm2d(out_channels, affine=True),
    )


@MODELS.register_module()
class ResidualEncoderUNet(BaseModule):
    """U-Net with a residual encoder (Isensee et al. 2021, doi:10.1038/s41592-020-01008-z; 2024, arXiv:2404.09556).

    The default is what nnU-Net's planner of residual encoders makes of 224 x 224 slices: six stages of 1, 3, 4, 6, 6, 6
    units, one convolution a decoder level, a head on every decoder level (deep supervision). With heads for 9 classes
    on all five levels: 71,823,565 parameters for one input channel, 71,824,141 for three; 24.18 GMAC at 224 x 224 for
    one channel and the finest head (the class of this name in dynamic-network-architectures 0.4.4, counted there).
    The coarsest head, 4,617 of them, has weight zero in nnU-Net's loss; our configs leave it out.

    nnU-Net plans the number of stages by the size of the slices; here it is fixed by `widths`, as its name has to mean
    one network in a table.

    Args:
        in_channels: Channels of the image (N, in_channels, H, W); H and W are multiples of 2 ** (stages - 1), and at
            least twice that, as instance normalisation needs more than one pixel.
        widths: Channels of each stage, full resolution first.
        units: Residual units of each stage.
        init_cfg: See `mmengine.model.BaseModule`; by default convolutions start after He, and the last normalisation
            of each unit at zero.
    """

    def __init__(
        self,
        in_channels: int,
        widths: Sequence[int] = (32, 64, 128, 256, 512, 512),
        units: Sequence[int] = (1, 3, 4, 6, 6, 6),
        init_cfg: Any = None,
    ) -> None:
        super().__init__(init_cfg)
        self.stem = nn.Sequential(conv_norm(in_channels, widths[0], 3), nn.LeakyReLU(SLOPE, inplace=True))
        self.encoder = nn.ModuleList(
            nn.Sequential(
                ResidualUnit(below, width, 1 if stage == 0 else 2),
                *(ResidualUnit(width, width, 1) for _ in range(count - 1)),
            )
            for stage, (below, width, count) in enumerate(zip((widths[0], *widths[:-1]), widths, units, strict=True))
        )
        coarse_to_fine = list(zip(widths[:0:-1], widths[-2::-1], strict=True))
        self.ups = nn.ModuleList(nn.ConvTranspose2d(below, width, 2, 2) for below, width in coarse_to_fine)
        self.decoder = nn.ModuleList(
            nn.Sequential(conv_norm(2 * width, width, 3), nn.LeakyReLU(SLOPE, inplace=True))
            for _, width in coarse_to_fine
        )

    def init_weights(self) -> None:
        """Initialise as nnU-Net does."""
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
                nn.init.kaiming_normal_(module.weight, a=SLOPE)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
        for module in self.modules():
            if isinstance(module, ResidualUnit):
                nn.init.zeros_(module.residual[-1][1].weight)
                nn.init.zeros_(module.residual[-1][1].bias)
        super().init_weights()

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """Return the decoder's maps, the coarsest first and the full resolution (N, widths[0], H, W) last."""
        maps = self.stem(images)
        skips: list[Tensor] = []
        for stage in self.encoder:
            maps = stage(maps)
            skips.append(maps)
        maps = skips.pop()
        found = []
        for up, stage in zip(self.ups, self.decoder, strict=True):
            maps = stage(torch.cat([up(maps), skips.pop()], dim=1))
            found.append(maps)
        return tuple(found)
