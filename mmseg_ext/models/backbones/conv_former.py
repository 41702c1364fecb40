"""ConvFormer in the place of SETR's transformer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmseg_ext.models.blocks.convolutions import conv_bn_relu
from mmseg_ext.models.blocks.grey_images import repeat_grey, stem_channels
from mmseg_ext.registry import MODELS

EPSILON = 1e-4


@MODELS.register_module()
class ConvFormer(BaseModule):
    """SETR with ConvFormer's blocks (Lin et al. 2023, arXiv:2309.05674) up to its last feature map.

    ConvFormer replaces the blocks of a transformer; of the networks in the paper the authors released this one. With
    three input channels and a 1 x 1 head for 2 classes: 115,610,018 parameters, all live, and 133.80 GMAC at 256 x 256
    (counted on github.com/xianlin7/ConvFormer, commit 80e1b4b).

    Ours: the table of distances follows the map; the released one is made for 256 x 256 and for a GPU.

    Args:
        in_channels: Channels of the image; a grey one is repeated three times.
        widths: Channels of the stem at 1/1, 1/2, 1/4 and 1/8; the blocks have the last.
        layers: Number of blocks.
        heads: Attention heads of a block.
        hidden: Width of the blocks' feed-forward part.
        init_cfg: See `mmengine.model.BaseModule`; PyTorch's own initialisation by default.
    """

    def __init__(
        self,
        in_channels: int,
        widths: Sequence[int] = (64, 128, 256, 512),
        layers: int = 12,
        heads: int = 8,
        hidden: int = 2048,
        init_cfg: Any = None,
    ) -> None:
        super().__init__(init_cfg)
        channels = widths[-1]
        stem: list[nn.Module] = []
        for below, width in zip((stem_channels(in_channels), *widths[:-1]), widths, strict=True):
            stem += [nn.MaxPool2d(2)] if stem else []
            stem.append(conv_bn_relu(below, width, bias=False))
        self.stem = nn.Sequential(*stem)
        self.blocks = nn.Sequential(*(ConvFormerBlock(channels, heads, hidden) for _ in range(layers)))
        self.decoder = nn.ModuleList(
            conv_bn_relu(below, channels // 4, bias=False) for below in (channels, channels // 4)
        )

    def forward(self, images: Tensor) -> tuple[Tensor]:
        """Return one map (N, widths[-1] / 4, H / 2, W / 2) for images (N, C, H, W), H and W multiples of 8."""
        found = self.blocks(self.stem(repeat_grey(images)))
        for stage in self.decoder:
            found = F.interpolate(stage(found), scale_factor=2, mode="bilinear", align_corners=True)
        return (found,)


class ConvFormerBlock(nn.Module):
    """Attention and feed-forward part of convolutions, each with a residual and nothing before it.

    Args:
        channels: C.
        heads: Attention heads; divide C.
        hidden: Width of the feed-forward part.
    """

    def __init__(self, channels: int, heads: int, hidden: int) -> None:
        super().__init__()
        self.attention = EnhancedSelfAttention(channels, heads)
        self.feed_forward = nn.Sequential(
            conv_bn_relu(channels, hidden, 1, bias=False), conv_bn_relu(hidden, channels, 1, bias=False)
        )

    def forward(self, maps: Tensor) -> Tensor:
        """Return maps of the same shape (N, C, H, W)."""
        maps = maps + self.attention(maps)
        return maps + self.feed_forward(maps)


class EnhancedSelfAttention(nn.Module):
    """Cosine of queries and keys, times a Gaussian of their distance, without softmax (section 2.3).

    Args:
        channels: C.
        heads: Attention heads, each with a learned reach; divide C.
    """

    def __init__(self, channels: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Conv2d(channels, 3 * channels, 3, padding=1, bias=False)
        self.reach = nn.Parameter(torch.randn(heads))
        self.out = conv_bn_relu(channels, channels, 1, bias=False)

    def forward(self, maps: Tensor) -> Tensor:
        """Return maps of the same shape (N, C, H, W)."""
        query, key, value = self.qkv(maps).flatten(2).unflatten(1, (3, self.heads, -1)).transpose(-1, -2).unbind(1)
        lengths = ((item.square().sum(-1) + EPSILON).sqrt() for item in (query, key))
        of_query, of_key = lengths
        cosine = query @ key.transpose(-1, -2) / (of_query[..., None] * of_key[..., None, :] + EPSILON)
        attended = (cosine * self.nearness(*maps.shape[-2:])) @ value
        return self.out(attended.transpose(-1, -2).reshape(maps.shape))

    def nearness(self, height: int, width: int) -> Tensor:
        """Return the share of each pixel in what another one sees: (heads, H W, H W), each row sums to 1.

        A share falls like a Gaussian of the distance in sides of the map, of standard deviation 0.003 to 0.4. It is the
        product of one along rows and one along columns.
        """
        scale = 2 * (0.003 + 0.397 * self.reach.sigmoid()).square()
        rows, columns = (self._along(count, scale) for count in (height, width))
        return torch.einsum("hij,hkl->hikjl", rows, columns).flatten(3).flatten(1, 2)

    def _along(self, count: int, scale: Tensor) -> Tensor:
        places = torch.arange(count, device=scale.device, dtype=scale.dtype) / count
        return (-(places[:, None] - places).square() / scale[:, None, None]).softmax(-1)
