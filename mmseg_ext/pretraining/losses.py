"""Losses that several objectives share."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from mmseg_ext.suite.errors import InputError

BASE_TEMPERATURE = 0.07
"""tau_0 of supervised contrastive learning (Khosla et al. 2020), which SuperCL's and PCL's code keep."""


def masked_contrast(
    features: Tensor,
    positives: Tensor,
    temperature: float = 0.1,
    base_temperature: float = BASE_TEMPERATURE,
    valid: Tensor | None = None,
) -> Tensor:
    r"""Return the contrastive loss in which a mask says who belongs together.

    .. math:: L = \frac{1}{|A|} \sum_{i \in A} -\frac{\tau}{\tau_0} \frac{1}{|P(i)|} \sum_{p \in P(i)}
              \Big( s_{ip} - \log \sum_{a \neq i} e^{s_{ia}} \Big), \qquad s_{ij} = \cos(z_i, z_j) / \tau

    averaged over the B groups, each of which is contrasted within itself. With the other view as the only positive
    it is NT-Xent times tau / tau_0; with labels it is SupCon (`out` form).

    Args:
        features: (B, M, D) or (M, D).
        positives: (B, M, M) or (M, M), symmetric; the diagonal does not count.
        temperature: tau.
        base_temperature: tau_0.
        valid: (B, M) or (M,), who takes part as anchor, positive and negative; everybody by default. A group in
            which nobody does has loss 0.

    Raises:
        InputError: If an anchor has no positive.
    """
    if features.ndim == 2:
        features, positives = features[None], positives[None]
        valid = None if valid is None else valid[None]
    unit = F.normalize(features.float(), dim=-1)
    similarity = unit @ unit.transpose(-1, -2) / temperature
    others = ~torch.eye(features.shape[1], dtype=torch.bool, device=features.device)
    anchors = (
        torch.ones(features.shape[:2], dtype=torch.bool, device=features.device) if valid is None else valid.bool()
    )
    others = others & anchors[:, None, :]
    counted = positives.bool() & others
    number = counted.sum(-1)
    lonely = (number == 0) & anchors
    if lonely.any():
        group, anchor = lonely.nonzero()[0].tolist()
        expected = "at least one: another view, or another member of its class, region or component"
        raise InputError("batch", f"positives of anchor {anchor} in group {group}", 0, expected)
    # Who is no anchor sees everybody, since the logarithm of nothing has no gradient; their rows are left out below.
    hidden = ~(others | ~anchors[..., None])
    log_share = similarity - similarity.masked_fill(hidden, -torch.inf).logsumexp(-1, keepdim=True)
    log_share = log_share.masked_fill(~counted, 0)
    per_anchor = -(temperature / base_temperature) * log_share.sum(-1) / number.clamp(min=1)
    per_group = (per_anchor * anchors).sum(-1) / anchors.sum(-1).clamp(min=1)
    return per_group.mean()


def other_view(items: int, views: int = 2, device: torch.device | str = "cpu") -> Tensor:
    """Return the mask (V * N, V * N) of views of one item, all of the first view first."""
    return torch.eye(items, dtype=torch.bool, device=device).repeat(views, views)


def key_contrast(queries: Tensor, keys: Tensor, negatives: Tensor, temperature: float) -> Tensor:
    """Return MoCo's loss (He et al. 2020, equation 1): a query against its key and the keys of a queue.

    Args:
        queries: (N, D).
        keys: (N, D), without gradient.
        negatives: (M, D) of unit length.
        temperature: tau.
    """
    queries, keys = F.normalize(queries.float(), dim=1), F.normalize(keys.float(), dim=1)
    own = (queries * keys).sum(1, keepdim=True)
    logits = torch.cat([own, queries @ negatives.T], dim=1) / temperature
    return F.cross_entropy(logits, torch.zeros(len(logits), dtype=torch.long, device=logits.device))


def negative_cosine(predicted: Tensor, target: Tensor) -> Tensor:
    """Return minus the mean cosine of rows (N, D); no gradient reaches the target."""
    return -F.cosine_similarity(predicted.float(), target.detach().float(), dim=1).mean()
