"""Learning to reweight (Ren et al., ICML 2018, arXiv 1803.09050)."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from mmseg_ext.noise_robust.reweighting import Reweighting
from mmseg_ext.registry import PARADIGMS


@PARADIGMS.register_module()
class L2RW(Reweighting):
    """The weight of a patch is the positive part of the product of its gradient with the trusted one, from weight 0."""

    def weights(self, losses: Tensor, slope: Any) -> Tensor:
        """Return weights that sum to 1, or are all 0."""
        return normalised(slope(losses.new_zeros(losses.shape), 1.0))


def normalised(slope: Tensor) -> Tensor:
    """Return relu(-slope) divided by its sum; all 0 where no entry is negative."""
    positive = (-slope).clamp(min=0)
    total = positive.sum()
    return positive / total if total > 0 else positive
