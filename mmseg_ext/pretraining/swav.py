"""SwAV."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from mmseg_ext.pretraining.frame import Pretrainer
from mmseg_ext.pretraining.heads import Prototypes, mlp
from mmseg_ext.registry import MODELS


@MODELS.register_module()
class SwAV(Pretrainer):
    """A view predicts to which prototypes the other one is assigned (Caron et al., NeurIPS 2020).

    Two views of one size, no small crops and no queue, as in the configuration of SuperCL's comparison. Width and
    hidden layer of the head are those of the paper; the comparison's are not known.

    Args:
        prototypes: How many.
        hidden: Width of the head's hidden layer.
        width: Length of a vector.
        temperature: Of the prediction.
        epsilon: Smoothness of the assignment.
        sinkhorn_iterations: Rounds of normalisation.
        frozen_steps: Optimiser steps before the prototypes move.
        **kwargs: Those of `Pretrainer`.
    """

    def __init__(
        self,
        prototypes: int = 3000,
        hidden: int = 2048,
        width: int = 128,
        temperature: float = 0.1,
        epsilon: float = 0.05,
        sinkhorn_iterations: int = 3,
        frozen_steps: int = 313,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.temperature = temperature
        self.epsilon = epsilon
        self.sinkhorn_iterations = sinkhorn_iterations
        self.frozen_steps = frozen_steps
        self.head = mlp([self.width, hidden, width], batch_norm=True)
        self.prototypes = Prototypes(width, prototypes)

    def loss(self, inputs: Tensor, data_samples: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return `loss_assignment`, the mean of both swapped predictions."""
        self.prototypes.requires_grad_(int(self.steps) >= self.frozen_steps)
        first, second = self.prototypes(self.head(self.pooled(inputs.flatten(0, 1)))).float().chunk(2)
        return {"loss_assignment": (self._swapped(first, second) + self._swapped(second, first)) / 2}

    def _swapped(self, scores: Tensor, other: Tensor) -> Tensor:
        target = sinkhorn(other.detach(), self.epsilon, self.sinkhorn_iterations)
        return -(target * (scores / self.temperature).log_softmax(1)).sum(1).mean()


@torch.no_grad()
def sinkhorn(scores: Tensor, epsilon: float, iterations: int) -> Tensor:
    """Return soft assignments (N, K), rows summing to 1, in which all prototypes have about the same share.

    Args:
        scores: (N, K) cosines.
        epsilon: Smoothness; smaller is harder.
        iterations: Rounds of normalising prototypes, then rows.
    """
    share = (scores / epsilon).exp()
    share = share / share.sum()
    for _ in range(iterations):
        share = share / share.sum(0, keepdim=True) / share.shape[1]
        share = share / share.sum(1, keepdim=True) / share.shape[0]
    return share * share.shape[0]
