"""Pixel classification by cosines with class names."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmseg_ext.models.blocks.class_texts import TextProducts
from mmseg_ext.models.vision_language.text_bank import TextBank
from mmseg_ext.registry import MODELS


@MODELS.register_module()
class TextHead(BaseModule):
    r"""Logits :math:`s \cos(W f, t_c)` of each pixel's feature f and each class's text t, with a learnt scale s.

    Args:
        num_classes: K.
        clip: Folder of the CLIP whose texts name the classes.
        names: Names by class id; `None` where training knows none.
        in_channels: Channels of f; W is the identity where not given, f then being an embedding already.
        scale: Start of s; 100 is CLIP's own.
        init_cfg: MMEngine's initialisation config.

    Raises:
        InputError: If a name is not in the CLIP's texts.
    """

    align_corners = False
    ignore_index = 255

    def __init__(
        self,
        num_classes: int,
        clip: str,
        names: Sequence[str | None],
        in_channels: int | None = None,
        scale: float = 100.0,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        self.num_classes = self.out_channels = num_classes
        self.text = TextBank(clip, names)
        self.project = nn.Identity() if in_channels is None else nn.Conv2d(in_channels, self.text.width, 1)
        self.log_scale = nn.Parameter(torch.tensor(scale).log())
        self.conv_seg = TextProducts(self.text)

    def embeddings(self, maps: Sequence[Tensor]) -> Tensor:
        """Return s W f / |W f| of the last map, (N, D, h, w)."""
        return F.normalize(self.project(maps[-1]), dim=1) * self.log_scale.exp()

    def forward(self, maps: Sequence[Tensor]) -> Tensor:
        """Return the logits (N, K, h, w) of the last map (N, in_channels, h, w)."""
        return self.conv_seg(self.embeddings(maps))
