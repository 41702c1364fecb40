"""BYOL."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from mmseg_ext.pretraining.frame import Pretrainer
from mmseg_ext.pretraining.heads import mlp
from mmseg_ext.pretraining.losses import negative_cosine
from mmseg_ext.pretraining.momentum import follow, frozen_copy, rising_momentum
from mmseg_ext.registry import MODELS


@MODELS.register_module()
class BYOL(Pretrainer):
    """A view predicts what a slow copy makes of the other one; there are no negatives (Grill et al., NeurIPS 2020).

    At the published widths two encoders, one projector and the predictor have 14.70 million parameters; SuperCL's
    comparison prints 14.69.

    Args:
        hidden: Width of the hidden layers of projector and predictor.
        width: Length of a projection.
        momentum: Of the slow copy at the start; it rises to 1.
        **kwargs: Those of `Pretrainer`.
    """

    def __init__(self, hidden: int = 4096, width: int = 256, momentum: float = 0.996, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.momentum = momentum
        self.projector = mlp([self.width, hidden, width], batch_norm=True)
        self.predictor = mlp([width, hidden, width], batch_norm=True)
        self.slow_encoder, self.slow_projector = frozen_copy(self.encoder), frozen_copy(self.projector)

    def loss(self, inputs: Tensor, data_samples: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return `loss_prediction`, 2 - 2 cos both ways (equations 2 and 3 of the paper), of two views."""
        predicted = [self.predictor(self.projector(self.pooled(view))) for view in inputs]
        with torch.no_grad():
            targets = [self._slow(view) for view in inputs]
        both = negative_cosine(predicted[0], targets[1]) + negative_cosine(predicted[1], targets[0])
        return {"loss_prediction": 4 + 2 * both}

    def _slow(self, view: Tensor) -> Tensor:
        bottom = self.slow_encoder(view.contiguous(memory_format=torch.channels_last))[-1]
        return self.slow_projector(bottom.mean((2, 3)))

    def after_step(self) -> None:
        """Move the slow copy."""
        momentum = rising_momentum(self.momentum, self.progress)
        follow(self.slow_encoder, self.encoder, momentum)
        follow(self.slow_projector, self.projector, momentum)
