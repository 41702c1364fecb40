"""Positional contrastive learning."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from mmseg_ext.pretraining.losses import other_view
from mmseg_ext.pretraining.simclr import SimCLR
from mmseg_ext.registry import MODELS


@MODELS.register_module()
class PCL(SimCLR):
    """Slices from about the same place of any two volumes belong together (Zeng et al., MICCAI 2021, equation 2).

    The position of a slice is its index from 1 on, divided by the slices of its volume. Images that are no slices
    have none, and only their own views are positives: SimCLR.

    Args:
        threshold: Positions that differ by less than this belong together.
        **kwargs: Those of `SimCLR`.
    """

    def __init__(self, threshold: float = 0.1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.threshold = threshold

    def positives(self, views: int, data_samples: Mapping[str, Tensor]) -> Tensor:
        """Return who belongs together (V * N, V * N)."""
        return near_positions(data_samples["position"], self.threshold, views)


def near_positions(position: Tensor, threshold: float, views: int = 2) -> Tensor:
    """Return which views (V * N, V * N) are of one slice, or of slices nearer than `threshold` in position (N,)."""
    near = (position[:, None] - position[None, :]).abs() < threshold
    return near.repeat(views, views) | other_view(len(position), views, position.device)
