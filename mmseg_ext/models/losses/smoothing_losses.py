"""Cross-entropy with softened labels."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from mmseg_ext.models.losses.pixel_loss import PixelLoss, one_hot
from mmseg_ext.registry import MODELS


@MODELS.register_module()
class LabelSmoothingLoss(PixelLoss):
    """Cross-entropy with (1 - e) y + e / K as the label of every pixel.

    Args:
        smoothing: e.
        **kwargs: Those of `PixelLoss`.
    """

    def __init__(self, smoothing: float = 0.1, **kwargs: Any) -> None:
        super().__init__(**{"loss_name": "loss_smooth", **kwargs})
        self.smoothing = smoothing

    def per_pixel(self, log_probabilities: Tensor, classes: Tensor, valid: Tensor) -> Tensor:
        """Return the loss (N, H, W) of every pixel."""
        target = one_hot(classes, log_probabilities)
        target = (1 - self.smoothing) * target + self.smoothing / log_probabilities.shape[1]
        return -(target * log_probabilities).sum(1)


@MODELS.register_module()
class SpatialSmoothingLoss(PixelLoss):
    """Cross-entropy with labels softened at borders only (SVLS, Islam and Glocker, IPMI 2021; code read).

    The label of a pixel has weight one half, its eight neighbours share the other half by a Gaussian; borders of the
    image are repeated. Where all nine agree the label stays hard. Neighbours that are ignored count as background.

    Args:
        sigma: Of the Gaussian, in pixels.
        **kwargs: Those of `PixelLoss`.
    """

    def __init__(self, sigma: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**{"loss_name": "loss_svls", **kwargs})
        self.register_buffer("kernel", spatial_kernel(sigma), persistent=False)

    def per_pixel(self, log_probabilities: Tensor, classes: Tensor, valid: Tensor) -> Tensor:
        """Return the loss (N, H, W) of every pixel."""
        return -(self.target(one_hot(classes, log_probabilities)) * log_probabilities).sum(1)

    def target(self, labels: Tensor) -> Tensor:
        """Return the softened labels (N, K, H, W) of one-hot labels."""
        count = labels.shape[1]
        kernel = self.kernel.to(labels).expand(count, 1, 3, 3)
        return F.conv2d(F.pad(labels, (1, 1, 1, 1), mode="replicate"), kernel, groups=count)


def spatial_kernel(sigma: float) -> Tensor:
    """Return the 3 x 3 weights: one half in the centre, the rest of a Gaussian around it."""
    distance = torch.tensor([1.0, 0.0, 1.0], dtype=torch.float64)
    line = torch.exp(-distance / (2 * sigma**2))
    kernel = line[:, None] * line[None]
    kernel[1, 1] = 0
    kernel = kernel / (2 * kernel.sum())
    kernel[1, 1] = 0.5
    return kernel
