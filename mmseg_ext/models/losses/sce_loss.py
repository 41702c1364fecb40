"""Symmetric cross-entropy."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from mmseg_ext.models.losses.pixel_loss import PixelLoss, of_label
from mmseg_ext.registry import MODELS


@MODELS.register_module()
class SCELoss(PixelLoss):
    """alpha CE + beta RCE, RCE = -A (1 - p_y) (Wang et al., ICCV 2019, arXiv 1908.06112).

    A stands for the logarithm of 0. The paper writes -4, both public codes clip labels at 1e-4 and so have -9.21;
    beta is not comparable between the two.

    Args:
        alpha: Weight of the cross-entropy; 0.1 for ten classes in the paper.
        beta: Weight of the reversed cross-entropy.
        log_zero: A.
        **kwargs: Those of `PixelLoss`.
    """

    def __init__(self, alpha: float = 0.1, beta: float = 1.0, log_zero: float = -4.0, **kwargs: Any) -> None:
        super().__init__(**{"loss_name": "loss_sce", **kwargs})
        self.alpha = alpha
        self.beta = beta
        self.log_zero = log_zero

    def per_pixel(self, log_probabilities: Tensor, classes: Tensor, valid: Tensor) -> Tensor:
        """Return the loss (N, H, W) of every pixel."""
        log_probability = of_label(log_probabilities, classes)
        return -self.alpha * log_probability - self.beta * self.log_zero * (1 - log_probability.exp())
