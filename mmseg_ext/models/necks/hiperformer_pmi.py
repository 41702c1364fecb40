"""Progressive multiplicative integration (PMI) of HiPerformer."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from torch import Tensor, nn

from mmseg_ext.models.hiperformer_layers import conv_norm, double_size


def _refine(in_channels: int, channels: int) -> nn.Sequential:
    return nn.Sequential(
        conv_norm(in_channels, channels, 3, act=nn.ReLU(inplace=True)),
        conv_norm(channels, channels, act=nn.ReLU(inplace=True)),
    )


class ProgressiveMultiplicativeIntegration(nn.Module):
    """Multiply each map with the refined coarser one, from coarse to fine (paper, equation 14).

    Args:
        in_channels: Channels of the maps from fine to coarse.
    """

    def __init__(self, in_channels: Sequence[int]) -> None:
        super().__init__()
        pairs = list(pairwise(in_channels))
        self.from_coarse = nn.ModuleList(_refine(coarse, fine) for fine, coarse in pairs)
        self.from_fine = nn.ModuleList(_refine(fine, fine) for fine, _ in pairs)

    def forward(self, maps: Sequence[Tensor]) -> list[Tensor]:
        """Return maps of the given shapes; the coarsest is the one given."""
        integrated = [maps[-1]]
        for fine, coarse, current in reversed(list(zip(self.from_fine, self.from_coarse, maps, strict=False))):
            integrated.insert(0, coarse(double_size(integrated[0])) * fine(current))
        return integrated
