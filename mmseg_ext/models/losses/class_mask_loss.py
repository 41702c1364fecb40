"""Loss of one binary mask for each class."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor


def class_mask_loss(logits: Tensor, masks: Tensor, alpha: float = 0.25, gamma: float = 2.0) -> tuple[Tensor, Tensor]:
    r"""Return the focal loss, a mean over all pixels and classes, and the Dice loss, a mean over the masks not empty.

    With :math:`p_t` the probability of the truth, focal is :math:`-\alpha_t (1 - p_t)^\gamma \log p_t` (Lin et al.
    2017, arXiv:1708.02002); Dice as in `mask_costs`, 0 where all masks are empty. No pixel is left out: what is
    not annotated is outside of every mask, as in ZegCLIP's released code.

    Args:
        logits: (N, K, H, W).
        masks: (N, K, H, W) bool.
        alpha: Weight of pixels inside a mask; the others have 1 - alpha.
        gamma: Focus on pixels that are not yet right.
    """
    truth = masks.to(logits.dtype)
    entropy = F.binary_cross_entropy_with_logits(logits, truth, reduction="none")
    weight = alpha * truth + (1 - alpha) * (1 - truth)
    focal = (weight * (1 - (-entropy).exp()) ** gamma * entropy).mean()
    probability = logits.sigmoid()
    overlap = (2 * (probability * truth).sum((2, 3)) + 1) / (probability.sum((2, 3)) + truth.sum((2, 3)) + 1)
    present = masks.any(3).any(2)
    return focal, ((1 - overlap) * present).sum() / present.sum().clamp(min=1)
