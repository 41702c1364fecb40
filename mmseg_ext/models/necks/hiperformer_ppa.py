"""Progressive pyramid aggregation (PPA), the neck of HiPerformer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmseg_ext.models.hiperformer_layers import conv_norm, double_size
from mmseg_ext.models.necks.hiperformer_pga import PyramidGatedAttention, PyramidSplitAttention
from mmseg_ext.models.necks.hiperformer_pmi import ProgressiveMultiplicativeIntegration
from mmseg_ext.registry import MODELS


def _decoder(channels: int) -> nn.Sequential:
    return conv_norm(2 * channels, channels, 3, act=nn.LeakyReLU(0.01, inplace=True), bias=False)


@MODELS.register_module()
class HiPerformerPPA(BaseModule):
    """PMI, then PGA from coarse to fine with the decoder's convolutions (arXiv 2509.20280, section III-D).

    Four maps in, four maps of the same shapes out. A level's convolution runs before its PGA, on the enlarged coarser
    map, and behind it; so the decoder's convolutions stand here and not in the head.

    Published size (128 to 1024 channels): 32,246,581 parameters, without the pyramid split attentions of the released
    code that nothing calls (one in each PGA).

    Args:
        in_channels: Channels of the maps from fine to coarse; each twice the one before.
        with_pmi: Without it, maps go on as they are (paper, table XII).
        with_pga: Without it, skip connections are joined as they are and nothing attends (paper, table XII; the paper
            does not say what stands in its place).
        shared_decoder: One convolution, with its running statistics, for both uses at a level (released code; the paper
            does not describe it), or one for each.
        pga: Options of `PyramidGatedAttention`, among them `gated`.
    """

    def __init__(
        self,
        in_channels: Sequence[int],
        with_pmi: bool = True,
        with_pga: bool = True,
        shared_decoder: bool = True,
        pga: dict[str, Any] | None = None,
    ) -> None:
        super().__init__()
        options = pga or {}
        *levels, bottom = in_channels
        self.pmi = ProgressiveMultiplicativeIntegration(in_channels) if with_pmi else None
        if with_pga:
            psa = {key.removeprefix("psa_"): value for key, value in options.items() if key.startswith("psa_")}
            self.bottom: nn.Module = PyramidSplitAttention(bottom, **psa)
            self.pga = nn.ModuleList(PyramidGatedAttention(channels, **options) for channels in levels)
        else:
            self.bottom, self.pga = nn.Identity(), None
        self.decoders = nn.ModuleList(_decoder(channels) for channels in levels)
        self.enlarging = self.decoders if shared_decoder else nn.ModuleList(_decoder(channels) for channels in levels)

    def forward(self, maps: Sequence[Tensor]) -> list[Tensor]:
        """Return the decoded maps from fine to coarse."""
        if self.pmi is not None:
            maps = self.pmi(maps)
        decoded = [self.bottom(maps[-1])]
        for level in reversed(range(len(self.decoders))):
            enlarged = self.enlarging[level](double_size(decoded[0]))
            skip = maps[level]
            joined = torch.cat([skip, enlarged], dim=1) if self.pga is None else self.pga[level](enlarged, skip)
            decoded.insert(0, self.decoders[level](joined))
        return decoded
