"""Weakly supervised contrastive learning."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from mmseg_ext.pretraining.components import same_component
from mmseg_ext.pretraining.frame import Pretrainer
from mmseg_ext.pretraining.heads import mlp
from mmseg_ext.pretraining.losses import masked_contrast, other_view
from mmseg_ext.registry import MODELS


@MODELS.register_module()
class WCL(Pretrainer):
    """SimCLR on one head; on another, slices of one component of a graph belong together (Zheng et al., ICCV 2021).

    The graph links each slice to its nearest neighbour among the vectors of the second head; the components of one
    view are the labels of the other one. The paper's crops for k nearest neighbours are left out.

    Args:
        temperature: tau of both losses.
        **kwargs: Those of `Pretrainer`.
    """

    def __init__(self, temperature: float = 0.1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.temperature = temperature
        self.instance_head = mlp([self.width] * 4, batch_norm=True)
        self.group_head = mlp([self.width] * 4, batch_norm=True)

    def loss(self, inputs: Tensor, data_samples: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return `loss_instance` and `loss_group`, of equal weight."""
        pooled = self.pooled(inputs.flatten(0, 1))
        views = other_view(inputs.shape[1], 2, inputs.device)
        first, second = self.group_head(pooled).chunk(2)
        groups = self._contrast(first, same_component(second)) + self._contrast(second, same_component(first))
        return {"loss_instance": self._contrast(self.instance_head(pooled), views), "loss_group": groups / 2}

    def _contrast(self, features: Tensor, positives: Tensor) -> Tensor:
        return masked_contrast(features, positives, self.temperature, base_temperature=self.temperature)
