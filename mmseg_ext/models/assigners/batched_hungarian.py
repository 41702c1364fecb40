"""Hungarian assignment of queries to targets for a whole batch."""

from __future__ import annotations

import numpy as np
import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor, nn

from mmseg_ext.registry import MODELS


@MODELS.register_module()
class BatchedHungarianAssigner(nn.Module):
    r"""One query for each target, so that the summed cost of an image is least (Kuhn 1955; DETR, arXiv:2005.12872).

    .. math:: C = w_{class} C_{class} + w_{mask} C_{mask} + w_{dice} C_{dice}

    All costs come from batched matrix products and leave the device in one transfer; SciPy then solves one problem for
    each image and decoder layer. An image without targets has nothing to solve.

    Weights 2, 5, 5 are those of Mask2Former (arXiv:2112.01527, section 4.1). The public text of Split Matching
    (arXiv:2505.05023) says only that class-level similarity and mask-level consistency both count.

    Args:
        class_weight: Factor of the class-level cost; 0 matches by masks only.
        mask_weight: Factor of the binary cross-entropy between masks.
        dice_weight: Factor of the Dice distance between masks.
    """

    def __init__(self, class_weight: float = 2.0, mask_weight: float = 5.0, dice_weight: float = 5.0) -> None:
        super().__init__()
        self.class_weight = class_weight
        self.mask_weight = mask_weight
        self.dice_weight = dice_weight

    @torch.no_grad()
    def forward(self, class_cost: Tensor, mask_cost: Tensor, dice_cost: Tensor, valid: Tensor) -> Tensor:
        """Return the query of each target, int64 (L, B, T); -1 for a target that is padding or got none.

        More targets than queries leave the most expensive ones without a query.

        Args:
            class_cost: (L, B, Q, T) for L decoder layers, B images, Q queries, T targets.
            mask_cost: Likewise.
            dice_cost: Likewise.
            valid: (B, T), false where a target only pads the batch.
        """
        cost = self.class_weight * class_cost + self.mask_weight * mask_cost + self.dice_weight * dice_cost
        # A network gone astray must reach the check of its loss, not stop in the solver.
        table = cost.float().nan_to_num(nan=1e6, posinf=1e6, neginf=-1e6).cpu().numpy()
        real = valid.cpu().numpy()
        found = np.full((*table.shape[:2], table.shape[3]), -1, np.int64)
        for image in np.flatnonzero(real.any(axis=1)):
            columns = np.flatnonzero(real[image])
            for layer in range(len(table)):
                queries, targets = linear_sum_assignment(table[layer, image][:, columns])
                found[layer, image, columns[targets]] = queries
        return torch.from_numpy(found).to(cost.device)
