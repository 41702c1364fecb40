"""A segmentor trained on the sums of its heads."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Any

from torch import Tensor

from mmseg_ext.models.segmentors.dense_segmentor import DenseSegmentor, labels_of
from mmseg_ext.registry import MODELS


@MODELS.register_module()
class SubsetSumSegmentor(DenseSegmentor):
    """`DenseSegmentor` whose loss sums over the non-empty subsets of its heads ("mutation" in EMCAD's code).

    The logits of a subset's heads are resized to the labels and added; the loss is the decode head's. Four heads have
    15 subsets. The losses of the auxiliary heads are not used.
    """

    def loss(self, inputs: Tensor, data_samples: Tensor | list[Any]) -> dict[str, Tensor]:
        """Return the loss of each subset of the active heads, by name."""
        return self.losses_of(self.dense_logits(inputs), labels_of(data_samples))

    def losses_of(self, dense: Sequence[Tensor], labels: Tensor, weight: Tensor | None = None) -> dict[str, Tensor]:
        """Return the losses of given logits, named by the numbers of their heads; 0 is the decode head.

        Args:
            dense: As `dense_logits` returns them, in the same mode.
            labels: (N, H, W) class ids.
            weight: (N, H, W) weight of each pixel; 1 where not given.
        """
        maps = [self._resize(logits, labels.shape[-2:]) for logits in dense]
        criterion, ignored = self.decode_head.loss_decode, self.decode_head.ignore_index
        losses = {}
        for count in range(1, len(maps) + 1):
            for chosen in combinations(range(len(maps)), count):
                name = f"heads_{'_'.join(map(str, chosen))}.{criterion.loss_name}"
                summed = sum(maps[index] for index in chosen)
                losses[name] = criterion(summed, labels, weight=weight, ignore_index=ignored)
        return losses
