"""A frozen CLIP as encoder, beside a small convolutional one that adds resolution."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor

from mmseg_ext.models.backbones.small_conv_net import SmallConvNet
from mmseg_ext.models.blocks.grey_images import repeat_grey
from mmseg_ext.models.vision_language.frozen_clip import FrozenClip, Readout
from mmseg_ext.registry import MODELS


@MODELS.register_module()
class ClipTrunk(BaseModule):
    """Maps of a small trained encoder, joined with the dense features of a frozen CLIP where these are coarser.

    Stands where the published networks have an encoder from ImageNet: what tells classes apart comes from CLIP, so that
    a minute of training is enough for the rest.

    Args:
        in_channels: Channels of the image (N, in_channels, H, W); CLIP sees grey ones repeated.
        clip: Folder of the CLIP.
        widths: Channels of the trained maps, of strides 2, 4, 8, …
        first: The first trained map that is returned.
        readout: `value` or `cls_residual`, see `FrozenClip.dense`.
        mean: What the images were standardised with, which is undone for CLIP.
        std: Likewise.
        init_cfg: MMEngine's initialisation config.
    """

    def __init__(
        self,
        in_channels: int,
        clip: str,
        widths: Sequence[int],
        first: int = 0,
        readout: Readout = "value",
        mean: float = 0.5,
        std: float = 0.25,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        self.clip = FrozenClip(clip)
        self.readout = readout
        self.mean, self.std = mean, std
        self.trained = SmallConvNet(in_channels, widths, first)

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """Return maps (N, C_i, h_i, w_i), the finest first; those no finer than CLIP's tokens have D channels more."""
        dense = self.clip.dense(repeat_grey(images * self.std + self.mean), self.readout)
        # Unit vectors of D channels, brought to the size of normalised activations.
        dense = dense * dense.shape[1] ** 0.5
        found = []
        for item in self.trained(images):
            if item.shape[-1] <= dense.shape[-1]:
                item = torch.cat([item, F.adaptive_avg_pool2d(dense, item.shape[-2:])], dim=1)
            found.append(item)
        return tuple(found)
