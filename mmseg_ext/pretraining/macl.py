"""MACL, the later method of SuperCL's authors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmseg_ext.models.backbones.leaky_unet import LeakyUNetDecoder
from mmseg_ext.pretraining.losses import masked_contrast, other_view
from mmseg_ext.pretraining.pcl import PCL
from mmseg_ext.registry import MODELS

_SCALE = 0.25
_BLOCKS = 2


@MODELS.register_module()
class MACL(PCL):
    """PCL, and agreement of a view with its reduced copy cell by cell (Zeng et al., IEEE JBHI 2026).

    A copy of a quarter of the size goes through the encoder and two decoder blocks, which gives a map as large as the
    bottom of the whole view. `loss_dense` contrasts the cells of both (InfoNCE), `loss_equal` is the mean absolute
    difference of the maps. The layer that brings the copy's channels to those of the bottom is ours: the paper's heads
    are known by their number of parameters only. The encoder alone is kept; the published method keeps the blocks too.

    Args:
        dense_weight: Of `loss_dense`.
        equal_weight: Of `loss_equal`.
        **kwargs: Those of `PCL`.
    """

    def __init__(self, dense_weight: float = 0.5, equal_weight: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dense_weight = dense_weight
        self.equal_weight = equal_weight
        widths = self.encoder.widths
        self.decoder = LeakyUNetDecoder(widths, blocks=_BLOCKS)
        self.widen = nn.Conv2d(widths[-1 - _BLOCKS], widths[-1], 1)

    def loss(self, inputs: Tensor, data_samples: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return `loss_contrast` (PCL), `loss_dense` and `loss_equal`, weighed."""
        views = inputs.flatten(0, 1).contiguous(memory_format=torch.channels_last)
        whole = self.bottom(views)
        reduced = F.interpolate(views, scale_factor=_SCALE, mode="bilinear", antialias=True, align_corners=False)
        copy = self.widen(self.decoder(self.encoder(reduced))[-1])
        positives = self.positives(len(inputs), data_samples)
        cells = torch.cat([whole.flatten(2), copy.flatten(2)], dim=2).transpose(1, 2)
        same = other_view(cells.shape[1] // 2, 2, cells.device).expand(len(cells), -1, -1)
        dense = masked_contrast(cells, same, self.temperature, base_temperature=self.temperature)
        return {
            "loss_contrast": masked_contrast(self.head(whole.mean((2, 3))), positives, self.temperature),
            "loss_dense": self.dense_weight * dense,
            "loss_equal": self.equal_weight * F.l1_loss(copy, whole),
        }
