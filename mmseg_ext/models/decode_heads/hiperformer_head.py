"""The head of HiPerformer: the sum of a classifier on every level."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from torch import Tensor, nn

from mmseg_ext.registry import MODELS


class SummedClassifiers(nn.ModuleList):
    """A 1 x 1 convolution for each slice of the channels; their outputs are added.

    Args:
        in_channels: Channels of the slices.
        num_classes: K.
    """

    def __init__(self, in_channels: Sequence[int], num_classes: int) -> None:
        super().__init__(nn.Conv2d(channels, num_classes, 1) for channels in in_channels)

    def forward(self, features: Tensor) -> Tensor:
        """(N, sum of channels, H, W) to logits (N, K, H, W)."""
        slices = features.split([layer.in_channels for layer in self], dim=1)
        return sum(layer(item) for layer, item in zip(self, slices, strict=True))


@MODELS.register_module()
class HiPerformerHead(BaseDecodeHead):
    """Logits at the image's size from four decoded maps (arXiv 2509.20280, released code; the paper is silent).

    Each map has a 1 x 1 convolution, whose logits are enlarged by 4, 8, 16 and 32 (bilinear, corners not aligned) and
    added. Published size with 9 classes: 17,316 parameters; each class adds 1,924.

    Args:
        in_channels: Channels of the maps from fine to coarse.
        summed: All four, or the finest alone.
        **kwargs: Those of `mmseg.models.decode_heads.BaseDecodeHead`.
    """

    def __init__(self, in_channels: Sequence[int], summed: bool = True, **kwargs: Any) -> None:
        used = list(in_channels) if summed else list(in_channels[:1])
        super().__init__(
            in_channels=used,
            in_index=list(range(len(used))),
            input_transform="multiple_select",
            channels=sum(used),
            dropout_ratio=0.0,
            **kwargs,
        )
        self.conv_seg = SummedClassifiers(used, self.out_channels)

    def forward(self, inputs: Sequence[Tensor]) -> Tensor:
        """Return logits (N, K, H, W), H and W four times those of the finest map."""
        maps = self._transform_inputs(inputs)
        # Enlarging keeps weighted sums, so the few classes are enlarged and not the many channels.
        return sum(self._enlarge(layer(item), maps) for layer, item in zip(self.conv_seg, maps, strict=True))

    def features(self, inputs: Sequence[Tensor]) -> Tensor:
        """Return the enlarged maps (N, sum of channels, H, W), from which `conv_seg` gives the same logits."""
        maps = self._transform_inputs(inputs)
        return torch.cat([self._enlarge(item, maps) for item in maps], dim=1)

    def _enlarge(self, x: Tensor, maps: Sequence[Tensor]) -> Tensor:
        size = [4 * length for length in maps[0].shape[-2:]]
        return F.interpolate(x, size=size, mode="bilinear", align_corners=self.align_corners)
