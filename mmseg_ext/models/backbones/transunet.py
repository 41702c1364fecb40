"""TransUNet: a vision transformer on top of a ResNet, and a convolutional decoder."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmseg_ext.models.blocks.convolutions import conv_bn_relu, double_conv
from mmseg_ext.models.blocks.grey_images import repeat_grey, stem_channels
from mmseg_ext.models.blocks.standardised_resnet import StandardisedResNet
from mmseg_ext.models.blocks.vision_transformer import TransformerLayer
from mmseg_ext.registry import MODELS


@MODELS.register_module()
class TransUNet(BaseModule):
    """TransUNet with the encoder R50-ViT-B/16 (Chen et al. 2021, arXiv:2102.04306, section 3).

    A ResNet yields 1024 channels at 1/16, each cell is a token of 768 channels with a learned position, twelve
    transformer layers follow. The decoder starts from 512 channels and doubles four times by bilinear interpolation
    with aligned corners; the first three levels put the ResNet's map behind (512, 256, 64 channels at 1/8, 1/4, 1/2).
    With a 3 x 3 head for 9 classes: 105,277,081 parameters at 224 x 224, all live, 29.23 GMAC (the authors' code,
    github.com/Beckschen/TransUNet, commit 02ef001, counted there).

    As in that code the ResNet's pooling is not padded, which shifts the skip at 1/4 by up to a pixel. Ours: positions
    are interpolated bilinearly when an image has another size than `image_size`; the released ones are fixed.

    Args:
        in_channels: Channels of the image; a grey one is repeated three times.
        image_size: Height and width the table of positions is made for.
        width: Channels of the ResNet's root; skips have this, 4 and 8 times as many.
        units: Units of the ResNet's three stages.
        channels: Channels of a token.
        layers: Transformer layers.
        heads: Attention heads.
        hidden: Width of the MLPs.
        dropout: Rate on the embedded tokens and in the MLPs.
        bottom: Channels of the map the decoder starts from.
        decoder: Channels of the decoder's levels; the last one has no skip.
        init_cfg: See `mmengine.model.BaseModule`.
    """

    def __init__(
        self,
        in_channels: int,
        image_size: Sequence[int] = (224, 224),
        width: int = 64,
        units: Sequence[int] = (3, 4, 9),
        channels: int = 768,
        layers: int = 12,
        heads: int = 12,
        hidden: int = 3072,
        dropout: float = 0.1,
        bottom: int = 512,
        decoder: Sequence[int] = (256, 128, 64, 16),
        init_cfg: Any = None,
    ) -> None:
        super().__init__(init_cfg)
        self.resnet = StandardisedResNet(stem_channels(in_channels), width, units)
        self.patch_embedding = nn.Conv2d(16 * width, channels, 1)
        grid = [-(-side // 16) for side in image_size]
        self.positions = nn.Parameter(torch.zeros(1, channels, *grid))
        self.dropout = nn.Dropout(dropout)
        self.layers = nn.Sequential(*(TransformerLayer(channels, heads, hidden, dropout) for _ in range(layers)))
        self.norm = nn.LayerNorm(channels, eps=1e-6)
        self.bridge = conv_bn_relu(channels, bottom, bias=False)
        self.skip_channels = (8 * width, 4 * width, width, 0)
        self.decoder = nn.ModuleList(
            double_conv(below + skip, above, bias=False)
            for below, skip, above in zip((bottom, *decoder[:-1]), self.skip_channels, decoder, strict=True)
        )

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """Return the decoder's maps from 1/16 to the full resolution (N, decoder[-1], H, W), which is last.

        Args:
            images: (N, in_channels, H, W); H and W are multiples of 16 and at least 32.
        """
        *fine_to_coarse, features = self.resnet(repeat_grey(images))
        maps = [self.bridge(self.transform(self.embed(features)))]
        for level, stage in enumerate(self.decoder):
            raised = F.interpolate(maps[-1], scale_factor=2, mode="bilinear", align_corners=True)
            if fine_to_coarse:
                raised = torch.cat([raised, self.skip(level, fine_to_coarse.pop())], dim=1)
            maps.append(stage(raised))
        return tuple(maps)

    def embed(self, features: Tensor) -> Tensor:
        """Return the tokens as a map (N, channels, h, w), without positions, of the ResNet's last map."""
        return self.patch_embedding(features)

    def transform(self, tokens: Tensor) -> Tensor:
        """Return the map (N, channels, h, w) after positions and transformer layers."""
        positions = self.positions
        if positions.shape[-2:] != tokens.shape[-2:]:
            positions = F.interpolate(positions, size=tokens.shape[-2:], mode="bilinear", align_corners=True)
        sequence = self.dropout(tokens + positions).flatten(2).transpose(1, 2)
        return self.norm(self.layers(sequence)).transpose(1, 2).reshape(tokens.shape)

    def skip(self, level: int, skip: Tensor) -> Tensor:
        """Return what the decoder reads of a skip (N, C, H, W) at a level, coarsest first; here the skip itself."""
        return skip
