"""HTC-Net, a small convolutional encoder, a U-shaped Swin transformer at 1/8 and a convolutional decoder."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmseg_ext.models.blocks.attention_fusion import ChannelSpatialFusion, DilatedFusion
from mmseg_ext.models.blocks.convolutions import conv_bn_relu
from mmseg_ext.models.blocks.efficientnet import EfficientNetB3Stages
from mmseg_ext.models.blocks.grey_images import repeat_grey, stem_channels
from mmseg_ext.models.blocks.swin_stages import PatchExpand, PatchMerging, SwinStage, stochastic_depth
from mmseg_ext.registry import MODELS

STRIDE = 8


@MODELS.register_module()
class HTCNet(BaseModule):
    """HTC-Net up to its last feature map.

    Paper: Tang et al., "HTC-Net: A hybrid CNN-transformer framework for medical image segmentation", Biomed. Signal
    Process. Control 88 (2024) 105605; released code Tanghui2000/HTC-Net.

    With a 3 x 3 head, nine classes and 224 x 224 input it has 59,128,543 parameters, all live, and 12.85 G
    multiply-adds, as measured on the released code (commit 9729cd7). That code holds 116,276,668: it builds the whole
    of EfficientNet-B3, of which it uses the first eight blocks, a fusion block of 46 M, a last expansion with its head,
    and three normalisations that never run; none of them is built here.

    Details of the released code that are kept: a Swin skip is the input of an encoder stage; windows do not shift where
    one covers the map; both convolutions after a fusion in the decoder are the same layer.

    Deviations: pooling adapts to the map, and maps that windows do not divide are padded, so that height and width may
    be any multiples of 32.

    Args:
        in_channels: Channels of the image; a grey one is repeated three times.
        image_size: Height and width the network is made for; decides which stages shift their windows.
        channels: Channels of each Swin stage at 1/8, 1/16, 1/32.
        depths: Blocks of each stage; the decoder has as many.
        heads: Attention heads of each stage.
        decoder_channels: Channels of the convolutional decoder at 1/8, 1/4, 1/2 and full resolution.
        window: Side of a window in tokens.
        drop_path_rate: Stochastic depth of the last Swin block of the encoder.
        init_cfg: MMEngine's initialisation config.
    """

    def __init__(
        self,
        in_channels: int = 3,
        image_size: Sequence[int] = (224, 224),
        channels: Sequence[int] = (192, 384, 768),
        depths: Sequence[int] = (2, 2, 2),
        heads: Sequence[int] = (6, 12, 24),
        decoder_channels: Sequence[int] = (128, 64, 32, 16),
        window: int = 7,
        drop_path_rate: float = 0.2,
        init_cfg: Any = None,
    ) -> None:
        super().__init__(init_cfg or dict(type="TruncNormal", layer="Linear", std=0.02, bias=0.0))
        rates = stochastic_depth(drop_path_rate, depths)

        def stage(index: int) -> SwinStage:
            shifts = min(image_size) // (STRIDE << index) > window
            return SwinStage(channels[index], heads[index], rates[index], window, shifts)

        self.cnn = EfficientNetB3Stages(stem_channels(in_channels))
        half, quarter, eighth = self.cnn.CHANNELS
        self.embedding = nn.Conv2d(eighth, channels[0], 1)
        self.embedding_norm = nn.LayerNorm(channels[0])
        self.encoder = nn.ModuleList(stage(index) for index in range(len(channels)))
        self.merges = nn.ModuleList(PatchMerging(width) for width in channels[:-1])
        self.bottleneck_norm = nn.LayerNorm(channels[-1])
        self.bottleneck = DilatedFusion(channels[-1])

        upwards = range(len(channels) - 2, -1, -1)
        self.expands = nn.ModuleList(PatchExpand(channels[index + 1], channels[index]) for index in upwards)
        self.joins = nn.ModuleList(ChannelSpatialFusion(2 * channels[index], channels[index]) for index in upwards)
        self.decoder = nn.ModuleList(stage(index) for index in upwards)
        self.norm = nn.LayerNorm(channels[0])

        first, second, third, last = decoder_channels
        self.reduce = conv_bn_relu(channels[0], first, bias=False)
        self.cnn_joins = nn.ModuleList(
            [ChannelSpatialFusion(first + quarter, second), ChannelSpatialFusion(second + half, third)]
        )
        self.cnn_convs = nn.ModuleList(conv_bn_relu(width, width, bias=False) for width in (second, third))
        self.last = nn.Sequential(conv_bn_relu(third, last, bias=False), conv_bn_relu(last, last, bias=False))

    def forward(self, images: Tensor) -> tuple[Tensor]:
        """Return one map (N, decoder_channels[-1], H, W) for images (N, C, H, W), H and W multiples of 32."""
        half, quarter, eighth = self.cnn(repeat_grey(images))
        found = self.reduce(self._swin(self.embedding(eighth)))
        for skip, join, convolve in zip((quarter, half), self.cnn_joins, self.cnn_convs, strict=True):
            found = convolve(convolve(join(torch.cat([_doubled(found), skip], dim=1))))
        return (self.last(_doubled(found)),)

    def _swin(self, embedded: Tensor) -> Tensor:
        """Return a map (N, channels[0], h, w) of the shape of the input."""
        maps = self.embedding_norm(embedded.permute(0, 2, 3, 1))
        skips = []
        for stage, merge in zip(self.encoder[:-1], self.merges, strict=True):
            skips.append(maps)
            maps = merge(stage(maps))
        maps = _on_channels_first(self.bottleneck, self.bottleneck_norm(self.encoder[-1](maps)))
        for expand, join, stage in zip(self.expands, self.joins, self.decoder, strict=True):
            maps = stage(_on_channels_first(join, torch.cat([expand(maps), skips.pop()], dim=-1)))
        return self.norm(maps).permute(0, 3, 1, 2)


def _on_channels_first(layer: nn.Module, maps: Tensor) -> Tensor:
    return layer(maps.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)


def _doubled(maps: Tensor) -> Tensor:
    return F.interpolate(maps, scale_factor=2, mode="bilinear", align_corners=True)
