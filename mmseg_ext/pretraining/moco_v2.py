"""MoCo v2."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from mmseg_ext.pretraining.frame import Pretrainer
from mmseg_ext.pretraining.heads import mlp
from mmseg_ext.pretraining.losses import key_contrast
from mmseg_ext.pretraining.momentum import KeyQueue, follow, frozen_copy
from mmseg_ext.registry import MODELS


@MODELS.register_module()
class MoCoV2(Pretrainer):
    """A view against the other one, encoded by a slow copy, and a queue of past keys (Chen et al., arXiv:2003.04297).

    Batch normalisation is not shuffled between devices, which makes no difference on one. Until the queue is full
    only the keys really seen are negatives; the original starts from random ones.

    Args:
        queue: Keys kept. Ours: 4096, since the published 65,536 are several epochs of these data.
        width: Length of a key.
        momentum: Of the slow copy.
        temperature: tau.
        **kwargs: Those of `Pretrainer`.
    """

    def __init__(
        self, queue: int = 4096, width: int = 128, momentum: float = 0.999, temperature: float = 0.2, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.momentum = momentum
        self.temperature = temperature
        self.head = mlp([self.width, self.width, width])
        self.slow_encoder, self.slow_head = frozen_copy(self.encoder), frozen_copy(self.head)
        self.queue = KeyQueue(width, queue)

    def loss(self, inputs: Tensor, data_samples: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return `loss_contrast` of the first two views."""
        return {"loss_contrast": self.contrast(self.pooled(inputs[0]), inputs[1])}

    def contrast(self, pooled: Tensor, other: Tensor) -> Tensor:
        """Return the loss of representations (N, D) against the keys of the other view (N, C, H, W), and keep those."""
        with torch.no_grad():
            images = other.contiguous(memory_format=torch.channels_last)
            keys = self.slow_head(self.slow_encoder(images)[-1].mean((2, 3)))
        # A copy, because the queue changes before the gradient is taken.
        loss = key_contrast(self.head(pooled), keys, self.queue.seen.clone(), self.temperature)
        self.queue.push(keys)
        return loss

    def after_step(self) -> None:
        """Move the slow copy."""
        follow(self.slow_encoder, self.encoder, self.momentum)
        follow(self.slow_head, self.head, self.momentum)
