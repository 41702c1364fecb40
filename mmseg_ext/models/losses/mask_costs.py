"""Costs between every predicted and every true mask; matching and loss read the same tables."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor


def mask_costs(logits: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    r"""Return binary cross-entropy and Dice distance, each (L, B, Q, T), of all pairs, with gradient.

    With mask logits m, probabilities :math:`\sigma` and targets g in {0, 1} over P points,

    .. math:: bce = \frac{1}{P}\sum_p \mathrm{softplus}(m_p) - m_p g_p, \qquad
              dice = 1 - \frac{2\sum_p \sigma(m_p) g_p + 1}{\sum_p \sigma(m_p) + \sum_p g_p + 1}

    Args:
        logits: (L, B, Q, P) at P points of an image, from L decoder layers.
        targets: (B, T, P) float, 0 or 1.
    """
    turned = targets.transpose(1, 2)
    entropy = (F.softplus(logits).sum(-1)[..., None] - logits @ turned) / logits.shape[-1]
    probability = logits.sigmoid()
    total = probability.sum(-1)[..., None] + targets.sum(-1)[:, None]
    return entropy, 1 - (2 * (probability @ turned) + 1) / (total + 1)
