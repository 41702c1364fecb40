"""Bootstrapping: the label mixed with the network's own prediction."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from mmseg_ext.models.losses.pixel_loss import PixelLoss, one_hot
from mmseg_ext.registry import MODELS


@MODELS.register_module()
class BootstrapLoss(PixelLoss):
    """Cross-entropy with the target b y + (1 - b) t (Reed et al., arXiv 1412.6596).

    Args:
        beta: b; the paper's 0.95 for `soft` and 0.8 for `hard`.
        hard: Whether t is the predicted class instead of the predicted probabilities.
        detach: Whether no gradient flows through t. The formula has one, many ports do not.
        **kwargs: Those of `PixelLoss`.
    """

    def __init__(self, beta: float | None = None, hard: bool = False, detach: bool = True, **kwargs: Any) -> None:
        super().__init__(**{"loss_name": "loss_bootstrap", **kwargs})
        self.beta = (0.8 if hard else 0.95) if beta is None else beta
        self.hard = hard
        self.detach = detach

    def per_pixel(self, log_probabilities: Tensor, classes: Tensor, valid: Tensor) -> Tensor:
        """Return the loss (N, H, W) of every pixel."""
        if self.hard:
            own = one_hot(log_probabilities.argmax(1), log_probabilities)
        else:
            own = log_probabilities.exp()
            own = own.detach() if self.detach else own
        target = self.beta * one_hot(classes, log_probabilities) + (1 - self.beta) * own
        return -(target * log_probabilities).sum(1)
