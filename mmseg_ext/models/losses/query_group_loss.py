"""The loss of one group of queries after its matching."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mmseg_ext.registry import MODELS


@MODELS.register_module()
class QueryGroupLoss(nn.Module):
    """Classification of all queries of a group, and mask losses of the matched ones, summed over decoder layers.

    The form is that of Mask2Former (arXiv:2112.01527), as no equation of Split Matching (arXiv:2505.05023) is public.
    The class term is a cross-entropy over the group's embeddings and "no object"; for candidate queries, whose
    embeddings are the image's regions beside the seen texts, that is the contrastive term -log exp(s_u) / sum exp(s).

    Args:
        class_weight: Factor of the classification.
        mask_weight: Factor of the binary cross-entropy of matched masks.
        dice_weight: Factor of the Dice distance of matched masks.
        no_object_weight: Weight of an unmatched query in the classification, where a matched one has 1; 0 leaves
            unmatched queries alone.
        loss_weight: Factor of the whole group.
    """

    def __init__(
        self,
        class_weight: float = 2.0,
        mask_weight: float = 5.0,
        dice_weight: float = 5.0,
        no_object_weight: float = 0.1,
        loss_weight: float = 1.0,
    ) -> None:
        super().__init__()
        self.class_weight = class_weight
        self.mask_weight = mask_weight
        self.dice_weight = dice_weight
        self.no_object_weight = no_object_weight
        self.loss_weight = loss_weight

    def forward(
        self,
        log_probabilities: Tensor,
        mask_cost: Tensor,
        dice_cost: Tensor,
        classes: Tensor,
        assignment: Tensor,
        spared: Tensor,
    ) -> dict[str, Tensor]:
        """Return `loss_class`, `loss_mask` and `loss_dice`, scalars with gradient, also without any target.

        The classification is the weighted mean over the queries of the batch, the mask losses the mean over its
        matched pairs; both are then summed over layers.

        Args:
            log_probabilities: (L, B, Q, C + 1), the last one for "no object".
            mask_cost: (L, B, Q, T), see `mask_costs`.
            dice_cost: Likewise.
            classes: (B, T), what each target is among the C.
            assignment: (L, B, T) query of each target, -1 for none.
            spared: (L, B, Q) bool, unmatched queries that get no class loss.
        """
        matched = assignment >= 0
        query = assignment.clamp(min=0)
        # One place more than there are queries takes what targets without a query would write.
        truth = torch.full_like(log_probabilities[..., 0], log_probabilities.shape[-1] - 1, dtype=torch.long)
        truth = torch.cat([truth, truth[..., :1]], dim=-1)
        place = query.where(matched, query.new_tensor(truth.shape[-1] - 1))
        truth = truth.scatter(-1, place, classes.expand_as(place))[..., :-1]
        unmatched = truth == log_probabilities.shape[-1] - 1
        weight = torch.ones_like(log_probabilities[..., 0]).masked_fill(unmatched, self.no_object_weight)
        weight = weight.masked_fill(unmatched & spared, 0.0)
        picked = -log_probabilities.gather(-1, truth[..., None])[..., 0]
        # Without weight there is no loss, not 0 / 0.
        class_loss = (picked * weight).sum((1, 2)) / weight.sum((1, 2)).clamp(min=1e-6)

        pairs = matched.sum((1, 2)).clamp(min=1)
        of_pair = query[:, :, None]
        mask_loss = (mask_cost.gather(2, of_pair)[:, :, 0] * matched).sum((1, 2)) / pairs
        dice_loss = (dice_cost.gather(2, of_pair)[:, :, 0] * matched).sum((1, 2)) / pairs
        return {
            "loss_class": self.loss_weight * self.class_weight * class_loss.sum(),
            "loss_mask": self.loss_weight * self.mask_weight * mask_loss.sum(),
            "loss_dice": self.loss_weight * self.dice_weight * dice_loss.sum(),
        }
