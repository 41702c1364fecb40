"""One convolution from features to logits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from torch import Tensor, nn

from mmseg_ext.registry import MODELS


@MODELS.register_module()
class ConvHead(BaseDecodeHead):
    """A decode head that is its last layer only: a convolution of any kernel, with or without bias.

    MMSegmentation's `FCNHead` has a 1 x 1 convolution with bias; TransUNet ends in a 3 x 3 one, Swin-UNet in one
    without bias.

    Args:
        in_channels: Channels of the one map it reads, `in_index` of the backbone's outputs.
        kernel_size: Odd.
        bias: Whether the convolution has one.
        **kwargs: Those of `mmseg.models.decode_heads.decode_head.BaseDecodeHead`.
    """

    def __init__(self, in_channels: int, *, kernel_size: int = 1, bias: bool = True, **kwargs: Any) -> None:
        super().__init__(in_channels=in_channels, channels=in_channels, **kwargs)
        self.conv_seg = nn.Conv2d(in_channels, self.out_channels, kernel_size, padding=kernel_size // 2, bias=bias)

    def forward(self, inputs: Sequence[Tensor]) -> Tensor:
        """Return the logits (N, K, H, W) of the map `in_index` (N, C, H, W)."""
        return self.cls_seg(self._transform_inputs(inputs))
