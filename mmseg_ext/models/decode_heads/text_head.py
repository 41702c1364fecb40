"""Pixel classification by cosines with class names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmseg_ext.models.blocks.class_texts import TextProducts
from mmseg_ext.models.decode_heads.named_classes_head import NamedClassesHead
from mmseg_ext.registry import MODELS


@MODELS.register_module()
class TextHead(NamedClassesHead):
    r"""Logits :math:`s \cos(W f, t_c)` of each pixel's feature f and each class's text t, with a learnt scale s.

    Args:
        in_channels: Channels of f; W is the identity where not given, f then being an embedding already.
        scale: Start of s; 100 is CLIP's own.
        **kwargs: Those of `NamedClassesHead`.
    """

    def __init__(self, *, in_channels: int | None = None, scale: float = 100.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.project = nn.Identity() if in_channels is None else nn.Conv2d(in_channels, self.text.width, 1)
        self.log_scale = nn.Parameter(torch.tensor(scale).log())
        self.conv_seg = TextProducts(self.text)

    def embeddings(self, maps: Sequence[Tensor]) -> Tensor:
        """Return s W f / |W f| of the last map, (N, D, h, w)."""
        return F.normalize(self.project(maps[-1]), dim=1) * self.log_scale.exp()

    def forward(self, maps: Sequence[Tensor]) -> Tensor:
        """Return the logits (N, K, h, w) of the last map (N, in_channels, h, w)."""
        return self.conv_seg(self.embeddings(maps))
