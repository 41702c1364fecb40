"""A segmentor trained on the sums of its heads."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

from torch import Tensor

from mmseg_ext.models.segmentors.dense_segmentor import DenseSegmentor
from mmseg_ext.registry import MODELS


@MODELS.register_module()
class SubsetSumSegmentor(DenseSegmentor):
    """`DenseSegmentor` whose loss sums over the non-empty subsets of its heads ("mutation" in EMCAD's code).

    The logits of a subset's heads are resized to the labels and added; the loss is the decode head's. Four heads have
    15 subsets. The losses of the auxiliary heads are not used.
    """

    def losses_of(self, dense: Sequence[Tensor], labels: Tensor, weight: Tensor | None = None) -> dict[str, Tensor]:
        """Return the loss of each subset of the active heads, named by the heads' numbers; 0 is the decode head."""
        maps = [self._resize(logits, labels.shape[-2:]) for logits in dense]
        criterion = self.decode_head.loss_decode
        losses = {}
        for count in range(1, len(maps) + 1):
            for chosen in combinations(range(len(maps)), count):
                name = f"heads_{'_'.join(map(str, chosen))}.{criterion.loss_name}"
                losses[name] = criterion(
                    sum(maps[index] for index in chosen),
                    labels,
                    weight=weight,
                    ignore_index=self.decode_head.ignore_index,
                )
        return losses
