"""SimCLR."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from mmseg_ext.pretraining.frame import Pretrainer
from mmseg_ext.pretraining.heads import mlp
from mmseg_ext.pretraining.losses import masked_contrast, other_view
from mmseg_ext.registry import MODELS


@MODELS.register_module()
class SimCLR(Pretrainer):
    """Two views of a slice agree, all others in the batch repel (Chen et al., ICML 2020, equation 1).

    As in SuperCL's released code: head Linear, ReLU, Linear without batch normalisation (encoder and head have
    5,238,880 parameters at the published width), and the loss carries the factor tau / 0.07 of `masked_contrast`.

    Args:
        temperature: tau.
        **kwargs: Those of `Pretrainer`.
    """

    def __init__(self, temperature: float = 0.1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.temperature = temperature
        self.head = mlp([self.width] * 3)

    def loss(self, inputs: Tensor, data_samples: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return `loss_contrast` of all views."""
        vectors = self.head(self.pooled(inputs.flatten(0, 1)))
        positives = self.positives(len(inputs), data_samples)
        return {"loss_contrast": masked_contrast(vectors, positives, self.temperature)}

    def positives(self, views: int, data_samples: Mapping[str, Tensor]) -> Tensor:
        """Return who belongs together (V * N, V * N): here the views of one slice."""
        items = data_samples["item"]
        return other_view(len(items), views, items.device)
