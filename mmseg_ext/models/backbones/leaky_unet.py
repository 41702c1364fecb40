"""Encoder and decoder of the U-Net that SuperCL and the methods beside it pre-train and fine-tune."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmseg_ext.registry import MODELS

SLOPE = 0.01
# ITU-R BT.601: how bright red, green and blue look.
_LUMA = (0.299, 0.587, 0.114)


@MODELS.register_module()
class LeakyUNetEncoder(BaseModule):
    """Contracting half of the U-Net in SuperCL's released code (arXiv:2504.14737, github.com/stevezs315/SuperCL).

    Each stage is two 3 x 3 convolutions with bias, batch normalisation and leaky ReLU, followed by 2 x 2 max-pooling;
    the bottom is two convolutions with plain ReLU and no normalisation. At the published widths and one channel it
    has 4,713,568 parameters. An argument of that code asks for instance normalisation; what it builds is this.

    An image with another number of channels than `in_channels` is brought to it: one channel is repeated, RGB
    becomes its luma where one channel is expected. So weights learnt on four MRI channels can meet a CT slice.

    Args:
        in_channels: Channels of the images it was made for; 1, 3 or more.
        widths: Channels of each stage, full resolution first, the bottom last; its stride is 2 ** (stages - 1).
        init_cfg: See `mmengine.model.BaseModule`; PyTorch's own initialisation by default.
    """

    def __init__(self, in_channels: int, widths: Sequence[int] = (32, 64, 128, 256, 512), init_cfg: Any = None) -> None:
        super().__init__(init_cfg)
        self.in_channels = in_channels
        self.widths = tuple(widths)
        self.stages = nn.ModuleList(
            leaky_conv(below, width) for below, width in zip((in_channels, *widths[:-2]), widths[:-1], strict=True)
        )
        self.bottom = nn.Sequential(
            nn.Conv2d(widths[-2], widths[-1], 3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(widths[-1], widths[-1], 3, padding=1),
            nn.ReLU(inplace=True),
        )

    @property
    def stride(self) -> int:
        """Pixels of the image, along each side, in one cell of the bottom."""
        return 2 ** len(self.stages)

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """Return the map of each stage, full resolution (N, widths[0], H, W) first and the bottom last.

        Args:
            images: (N, C, H, W); H and W are multiples of the stride.
        """
        maps: list[Tensor] = []
        below = match_channels(images, self.in_channels)
        for stage in self.stages:
            maps.append(stage(below))
            below = F.max_pool2d(maps[-1], 2)
        return (*maps, self.bottom(below))


@MODELS.register_module()
class LeakyUNetDecoder(BaseModule):
    """Expanding half: 2 x 2 transposed convolution, skip in front, two 3 x 3 convolutions as in the encoder.

    With a 1 x 1 head without bias for four classes it has 3,049,888 parameters at the published widths.

    Args:
        widths: Those of the encoder.
        blocks: How many doublings, from the bottom on; all of them by default.
        init_cfg: See `mmengine.model.BaseModule`.
    """

    def __init__(self, widths: Sequence[int], blocks: int | None = None, init_cfg: Any = None) -> None:
        super().__init__(init_cfg)
        coarse_to_fine = list(zip(widths[:0:-1], widths[-2::-1], strict=True))[:blocks]
        self.ups = nn.ModuleList(nn.ConvTranspose2d(below, width, 2, stride=2) for below, width in coarse_to_fine)
        self.blocks = nn.ModuleList(leaky_conv(2 * width, width) for _, width in coarse_to_fine)

    def forward(self, maps: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """Return the bottom and the map after each doubling, the finest last.

        Args:
            maps: What the encoder returns.
        """
        found = [maps[-1]]
        for up, block, skip in zip(self.ups, self.blocks, maps[-2::-1], strict=False):
            found.append(block(torch.cat([skip, up(found[-1])], dim=1)))
        return tuple(found)


def leaky_conv(in_channels: int, out_channels: int) -> nn.Sequential:
    """Return two 3 x 3 convolutions with bias, each with batch normalisation and leaky ReLU."""
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, 3, padding=1),
        nn.BatchNorm2d(out_channels),
        nn.LeakyReLU(SLOPE, inplace=True),
        nn.Conv2d(out_channels, out_channels, 3, padding=1),
        nn.BatchNorm2d(out_channels),
        nn.LeakyReLU(SLOPE, inplace=True),
    )


def match_channels(images: Tensor, channels: int) -> Tensor:
    """Return images (N, C, H, W) with `channels` channels: one repeated, or RGB as luma.

    Raises:
        ValueError: For any other pair.
    """
    found = images.shape[1]
    if found == channels:
        return images
    if found == 1:
        return images.expand(-1, channels, -1, -1)
    if found == 3 and channels == 1:
        return (images * images.new_tensor(_LUMA).view(1, 3, 1, 1)).sum(1, keepdim=True)
    raise ValueError(f"an image of {found} channels for an encoder of {channels}")
