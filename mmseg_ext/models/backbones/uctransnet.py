"""UCTransNet, a U-Net whose skip connections pass through a transformer over channels."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmseg_ext.models.blocks.channel_cross_transformer import ChannelCrossTransformer
from mmseg_ext.models.blocks.convolutions import conv_bn_relu, double_conv
from mmseg_ext.registry import MODELS


@MODELS.register_module()
class UCTransNet(BaseModule):
    """UCTransNet up to its last feature map.

    Paper: Wang, Cao, Wang, Zaïane, "UCTransNet: Rethinking the Skip Connections in U-Net from a Channel-wise
    Perspective with Transformer", AAAI 2022, arXiv 2109.04335; released code McGregorWwww/UCTransNet.

    With a 1 x 1 head, three input channels, nine classes and 224 x 224 input it has 66,431,177 parameters, all live,
    and 38.60 G multiply-adds, as measured on the released code (commit 493bd81).

    Details of the released code that are kept: the first stage has one convolution, not two; the deepest stage is not
    wider than the one before; upsampling is nearest-neighbour.

    Deviations: the heads' matrices of a projection are one matrix; the position tables may have any grid, and are
    resampled where the input has another; the network returns logits for one class too, where the released code
    applies a sigmoid that its loss then applies again.

    Args:
        in_channels: Channels of the image.
        image_size: Height and width for which the position tables are made.
        base_channels: Channels of the largest map; 2, 4 and 8 times as many on the smaller ones.
        heads: Attention heads of the transformer.
        layers: Layers of the transformer.
        dropout: Dropout probability in the transformer.
        init_cfg: MMEngine's initialisation config.
    """

    def __init__(
        self,
        in_channels: int = 3,
        image_size: tuple[int, int] = (224, 224),
        base_channels: int = 64,
        heads: int = 4,
        layers: int = 4,
        dropout: float = 0.1,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        channels = [base_channels << level for level in range(4)]
        self.stem = conv_bn_relu(in_channels, channels[0])
        wider = [*channels[1:], channels[-1]]
        self.encoder = nn.ModuleList(
            nn.Sequential(nn.MaxPool2d(2), double_conv(narrow, wide))
            for narrow, wide in zip(channels, wider, strict=True)
        )
        self.transformer = ChannelCrossTransformer(channels, image_size, heads=heads, layers=layers, dropout=dropout)
        self.decoder = nn.ModuleList(
            _DecoderStage(width, max(width // 2, base_channels)) for width in reversed(channels)
        )

    def forward(self, images: Tensor) -> tuple[Tensor]:
        """Return one map (N, base_channels, H, W) for images (N, C, H, W), H and W multiples of 16."""
        maps = [self.stem(images)]
        for stage in self.encoder:
            maps.append(stage(maps[-1]))
        found = maps.pop()
        for stage, skip in zip(self.decoder, reversed(self.transformer(maps)), strict=True):
            found = stage(found, skip)
        return (found,)


class _DecoderStage(nn.Module):
    """Upsample, weigh the skip's channels (section 3.2, "CCA"), join, convolve twice."""

    def __init__(self, channels: int, out_channels: int) -> None:
        super().__init__()
        self.skip_gate = nn.Linear(channels, channels)
        self.decoder_gate = nn.Linear(channels, channels)
        self.convolutions = double_conv(2 * channels, out_channels)

    def forward(self, coarse: Tensor, skip: Tensor) -> Tensor:
        gate = (self.skip_gate(skip.mean((2, 3))) + self.decoder_gate(coarse.mean((2, 3)))) / 2
        skip = F.relu(skip * gate.sigmoid()[..., None, None])
        return self.convolutions(torch.cat([skip, F.interpolate(coarse, scale_factor=2.0)], dim=1))
