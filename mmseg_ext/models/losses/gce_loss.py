"""Generalised cross-entropy."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from mmseg_ext.models.losses.pixel_loss import PixelLoss, of_label
from mmseg_ext.registry import MODELS


@MODELS.register_module()
class GCELoss(PixelLoss):
    """(1 - p_y^q) / q (Zhang and Sabuncu, NeurIPS 2018, arXiv 1805.07836): from cross-entropy (q to 0) to MAE (q = 1).

    Args:
        q: Between 0 and 1; the paper's 0.7.
        truncate: Probability at and below which a pixel's loss is constant; the paper's k is 0.5. None: nowhere.
        **kwargs: Those of `PixelLoss`.
    """

    def __init__(self, q: float = 0.7, truncate: float | None = None, **kwargs: Any) -> None:
        super().__init__(**{"loss_name": "loss_gce", **kwargs})
        self.q = q
        self.truncate = truncate

    def per_pixel(self, log_probabilities: Tensor, classes: Tensor, valid: Tensor) -> Tensor:
        """Return the loss (N, H, W) of every pixel."""
        probability = of_label(log_probabilities, classes).exp()
        if self.truncate is not None:
            probability = probability.clamp(min=self.truncate)
        # A power below 1 has an infinite slope at 0.
        return (1 - probability.clamp(min=1e-7) ** self.q) / self.q
