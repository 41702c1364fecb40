"""What losses that are a mean over pixels share."""

from __future__ import annotations

from abc import abstractmethod

import torch
from torch import Tensor, nn


class PixelLoss(nn.Module):
    """A loss of every pixel on its own, averaged over the valid pixels of the batch.

    Args:
        loss_weight: Factor of the whole loss.
        loss_name: Key in the loss dictionary; contains `loss`, so that MMEngine adds it up.
    """

    def __init__(self, loss_weight: float = 1.0, loss_name: str = "loss_pixel") -> None:
        super().__init__()
        self.loss_weight = loss_weight
        self.loss_name = loss_name

    @abstractmethod
    def per_pixel(self, log_probabilities: Tensor, classes: Tensor, valid: Tensor) -> Tensor:
        """Return the loss (N, H, W) of every pixel.

        Args:
            log_probabilities: (N, K, H, W) float32.
            classes: (N, H, W) class ids, 0 where a pixel is ignored.
            valid: (N, H, W) whether a pixel counts.
        """

    def forward(self, logits: Tensor, labels: Tensor, weight: Tensor | None = None, ignore_index: int = 255) -> Tensor:
        """Return the scalar loss.

        Args:
            logits: (N, K, H, W), K at least 2, any float type.
            labels: (N, H, W) class ids.
            weight: (N, H, W) weight of each pixel; 1 where not given.
            ignore_index: Label of pixels that do not count.
        """
        valid = labels != ignore_index
        classes = labels.long().where(valid, torch.zeros_like(labels))
        # At least float32: half precision has too few digits for powers and logarithms.
        precise = logits if logits.dtype == torch.float64 else logits.float()
        loss = self.per_pixel(precise.log_softmax(1), classes, valid)
        counted = valid.to(loss.dtype) if weight is None else valid * weight.to(loss.dtype)
        return self.loss_weight * (loss * counted).sum() / valid.sum().clamp(min=1)


def of_label(values: Tensor, classes: Tensor) -> Tensor:
    """Return the value (N, H, W) of each pixel's class, from (N, K, H, W)."""
    return values.gather(1, classes[:, None])[:, 0]


def one_hot(classes: Tensor, like: Tensor) -> Tensor:
    """Return class ids (N, H, W) as one-hot maps of the shape and type of `like`."""
    return torch.zeros_like(like).scatter_(1, classes[:, None], 1.0)
