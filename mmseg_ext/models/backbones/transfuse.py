"""TransFuse: a vision transformer and a ResNet side by side, fused scale by scale."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import torch
import torch.nn.functional as F
from mmengine.model import BaseModule
from mmseg.models.backbones import ResNet
from torch import Tensor, nn

from mmseg_ext.models.blocks.attention_gate import AttentionGate
from mmseg_ext.models.blocks.convolutions import conv_bn_relu, double_conv
from mmseg_ext.models.blocks.gates import PixelGate
from mmseg_ext.models.blocks.grey_images import repeat_grey, stem_channels
from mmseg_ext.models.blocks.vision_transformer import TransformerLayer
from mmseg_ext.registry import MODELS

PATCH = 16


@MODELS.register_module()
class TransFuse(BaseModule):
    """TransFuse-S (Zhang et al. 2021, arXiv:2102.08005) up to what the last layers of its three heads read.

    DeiT-small cut to eight layers and without class token, ResNet-34 without its last stage. With three 3 x 3 heads
    with one output and images of 192 x 256: 26,248,341 parameters, all live, and 8.82 GMAC. The released code
    (github.com/Rayicer/TransFuse, commit 3f50ab6, counted there; written from the counts and a description, as it has
    no licence) has 384 more, which is what the class token of its DeiT takes that no gradient reaches.

    Ours: the released grid of positions is fixed at 12 x 16; here it follows `image_size`, and is interpolated
    bilinearly where an image has another size.

    Args:
        in_channels: Channels of the image; a grey one is repeated three times.
        image_size: Height and width the table of positions is made for.
        depth: Which ResNet; one of basic blocks, 18 or 34.
        width: Channels of the ResNet's first stage; the next ones, and the fused maps, have 2 and 4 times as many.
        channels: Channels of a token.
        layers: Transformer layers.
        heads: Attention heads.
        raised: Channels of the transformer's map at 1/8 and 1/4.
        dropout: Share of channels dropped in both branches; half of it in fused maps.
        init_cfg: See `mmengine.model.BaseModule`; by default convolutions start after He, by the fan-in.
    """

    def __init__(
        self,
        in_channels: int,
        image_size: Sequence[int] = (192, 256),
        depth: int = 34,
        width: int = 64,
        channels: int = 384,
        layers: int = 8,
        heads: int = 6,
        raised: Sequence[int] = (128, 64),
        dropout: float = 0.2,
        init_cfg: Any = None,
    ) -> None:
        super().__init__(init_cfg or dict(type="Kaiming", layer="Conv2d", mode="fan_in"))
        self.resnet = ResNet(
            depth,
            in_channels=stem_channels(in_channels),
            stem_channels=width,
            base_channels=width,
            num_stages=3,
            strides=(1, 2, 2),
            dilations=(1, 1, 1),
            out_indices=(0, 1, 2),
        )
        self.patch_embedding = nn.Conv2d(stem_channels(in_channels), channels, PATCH, PATCH)
        self.positions = nn.Parameter(torch.zeros(1, channels, *(-(-side // PATCH) for side in image_size)))
        nn.init.trunc_normal_(self.positions, std=0.02)
        self.layers = nn.Sequential(*(TransformerLayer(channels, heads, 4 * channels, 0.0) for _ in range(layers)))
        self.norm = nn.LayerNorm(channels, eps=1e-6)
        self.dropout = nn.Dropout2d(dropout)

        tokens = (channels, *raised)
        maps = (4 * width, 2 * width, width)
        self.raises = nn.ModuleList(ResidualDoubleConv(below, above) for below, above in pairwise(tokens))
        self.fusions = nn.ModuleList(
            BiFusion(of_map, of_tokens, reduction, dropout / 2)
            for of_map, of_tokens, reduction in zip(maps, tokens, (4, 2, 1), strict=True)
        )
        self.gates = nn.ModuleList(AttentionGate(skip, skip, signal_channels=below) for below, skip in pairwise(maps))
        self.joins = nn.ModuleList(ResidualDoubleConv(below + skip, skip) for below, skip in pairwise(maps))
        self.out_fused = nn.Sequential(conv_bn_relu(maps[0], width, 1), conv_bn_relu(width, width))
        self.out_tokens = conv_bn_relu(tokens[-1], width)
        self.out = conv_bn_relu(width, width)

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """Return what the heads read, (N, width, h, w) each: fused at 1/16, of the transformer and fused at 1/4.

        Args:
            images: (N, in_channels, H, W); H and W are multiples of 16.
        """
        images = repeat_grey(images)
        tokens = [self.dropout(self.transform(self.patch_embedding(images)))]
        for stage in self.raises:
            tokens.append(stage(_doubled(tokens[-1])))
        maps = [self.dropout(item) for item in self.resnet(images)[::-1]]
        first, *skips = (fuse(*pair) for fuse, *pair in zip(self.fusions, maps, tokens, strict=True))
        found = first
        for gate, join, skip in zip(self.gates, self.joins, skips, strict=True):
            signal = _doubled(found)
            found = join(torch.cat([gate(signal, skip), signal], dim=1))
        return self.out_fused(first), self.out_tokens(tokens[-1]), self.out(found)

    def transform(self, tokens: Tensor) -> Tensor:
        """Return the map (N, channels, h, w) after positions and transformer layers."""
        positions = self.positions
        if positions.shape[-2:] != tokens.shape[-2:]:
            positions = F.interpolate(positions, size=tokens.shape[-2:], mode="bilinear", align_corners=False)
        sequence = (tokens + positions).flatten(2).transpose(1, 2)
        return self.norm(self.layers(sequence)).transpose(1, 2).reshape(tokens.shape)


class ResidualDoubleConv(nn.Module):
    """Two 3 x 3 units with a normalised 1 x 1 shortcut, added before the last ReLU.

    Args:
        in_channels: Channels of the input.
        out_channels: Channels of the output.
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        first, second = double_conv(in_channels, out_channels)
        self.residual = nn.Sequential(first, second[:2])
        self.shortcut = conv_bn_relu(in_channels, out_channels, 1)[:2]

    def forward(self, maps: Tensor) -> Tensor:
        """Return (N, out_channels, H, W) for (N, in_channels, H, W)."""
        return F.relu(self.residual(maps) + self.shortcut(maps))


class BiFusion(nn.Module):
    """Join a convolutional and a transformer's map of one resolution (section 3.2).

    The first is weighed pixel by pixel, the second channel by channel, and their product stands for what both hold.

    Args:
        channels: Channels of the convolutional map, of the product and of the output; even.
        token_channels: Channels of the transformer's map.
        reduction: Channels of the transformer's map over those its weights are found in.
        dropout: Share of channels dropped from the output.
    """

    def __init__(self, channels: int, token_channels: int, reduction: int, dropout: float) -> None:
        super().__init__()
        self.of_map = conv_bn_relu(channels, channels, 1)[:2]
        self.of_tokens = conv_bn_relu(token_channels, channels, 1)[:2]
        self.product = conv_bn_relu(channels, channels)
        self.pixel_gate = PixelGate(normalised=True)
        hidden = token_channels // reduction
        self.channel_gate = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),
            nn.Conv2d(token_channels, hidden, 1),
            nn.ReLU(inplace=True),
            nn.Conv2d(hidden, token_channels, 1),
            nn.Sigmoid(),
        )
        joined, half = 2 * channels + token_channels, channels // 2
        self.residual = nn.Sequential(
            nn.BatchNorm2d(joined),
            nn.ReLU(inplace=True),
            conv_bn_relu(joined, half, 1),
            conv_bn_relu(half, half),
            nn.Conv2d(half, channels, 1),
        )
        self.shortcut = nn.Conv2d(joined, channels, 1)
        self.dropout = nn.Dropout2d(dropout)

    def forward(self, maps: Tensor, tokens: Tensor) -> Tensor:
        """Return (N, channels, H, W) for maps (N, channels, H, W) and tokens (N, token_channels, H, W)."""
        product = self.product(self.of_map(maps) * self.of_tokens(tokens))
        joined = torch.cat([self.pixel_gate(maps), tokens * self.channel_gate(tokens), product], dim=1)
        return self.dropout(self.residual(joined) + self.shortcut(joined))


def _doubled(maps: Tensor) -> Tensor:
    return F.interpolate(maps, scale_factor=2, mode="bilinear", align_corners=True)
