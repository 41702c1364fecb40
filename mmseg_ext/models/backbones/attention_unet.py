"""Attention U-Net in its two-dimensional form."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn

from mmseg_ext.models.backbones.conv_unet import ConvUNet
from mmseg_ext.models.blocks.attention_gate import AttentionGate
from mmseg_ext.registry import MODELS


@MODELS.register_module()
class AttentionUNet(ConvUNet):
    """`ConvUNet` with an attention gate on every skip (Oktay et al. 2018, arXiv:1804.03999).

    With a 1 x 1 head for 9 classes and three input channels: 34,879,093 parameters, all live, and 50.88 GMAC at
    224 x 224 (the `AttU_Net` of github.com/FengheTan9/U-Bench, commit eafbb9f, counted there).

    The paper's network is three-dimensional, and its gating signal comes from the next coarser level through strided
    convolutions and resampling. In this two-dimensional form, which tables compare with, signal and skip have one
    resolution, both projections have a bias, and the weight is batch-normalised.

    Args:
        in_channels: Channels of the image (N, in_channels, H, W); H and W are multiples of 2 ** (levels - 1).
        widths: Channels of each level, full resolution first; gates compare in half of them.
        init_cfg: See `mmengine.model.BaseModule`.
    """

    def __init__(
        self, in_channels: int, widths: Sequence[int] = (64, 128, 256, 512, 1024), init_cfg: Any = None
    ) -> None:
        super().__init__(in_channels, widths, init_cfg)
        self.gates = nn.ModuleList(AttentionGate(width, width // 2) for width in widths[-2::-1])

    def skip(self, level: int, skip: Tensor, raised: Tensor) -> Tensor:
        """Return the skip (N, C, H, W), gated by the decoder's map."""
        return self.gates[level](raised, skip)
