"""A head for networks that compute the logits of the foreground themselves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch.nn.functional as F
from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from torch import Tensor, nn

from mmseg_ext.registry import MODELS


@MODELS.register_module()
class ForegroundHead(BaseDecodeHead):
    """Take the map `in_index` as the logits of the foreground classes; the background's logit is 0.

    For two classes the softmax of the result is the sigmoid of the map. It has no parameters.

    Args:
        num_classes: K, background among them.
        **kwargs: Those of `mmseg.models.decode_heads.decode_head.BaseDecodeHead`.
    """

    def __init__(self, *, num_classes: int, **kwargs: Any) -> None:
        foreground = max(1, num_classes - 1)
        super().__init__(
            in_channels=foreground, channels=foreground, num_classes=num_classes, dropout_ratio=0.0, **kwargs
        )
        self.conv_seg = nn.Identity()

    def forward(self, inputs: Sequence[Tensor]) -> Tensor:
        """Return logits (N, K, h, w) for maps of which `in_index` is (N, K - 1, h, w)."""
        return F.pad(self._transform_inputs(inputs), (0, 0, 0, 0, 1, 0))
