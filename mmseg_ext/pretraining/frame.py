"""The frame of every objective: one encoder that is kept, heads that are not, a loss on views of a batch."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

import torch
from mmengine.model import BaseModel
from mmengine.optim import OptimWrapper
from torch import Tensor

from mmseg_ext.registry import MODELS


class Pretrainer(BaseModel):
    """What pre-training trains. A method derives from it and says what its loss is.

    A batch holds `inputs` (V, N, C, H, W), the V views of N slices, standardised, and `data_samples` with the keys
    `item` (N,), `position` (N,) of a slice in its volume in (0, 1], not a number for an image that is no slice, and,
    where the views give them, `superpixels` (2, N, H, W), ids from 1 on and 0 where the image does not reach.

    Args:
        encoder: Config of the encoder; it returns maps of each resolution, the bottom last. It is the backbone of the
            network that is fine-tuned, and its weights are all that is kept.
        max_iters: Optimiser steps in all, for what changes in the course of pre-training.
        data_preprocessor: See `mmengine.model.BaseModel`.
    """

    views = 2
    """How many views of a slice the loss takes."""

    def __init__(
        self, encoder: Mapping[str, Any], max_iters: int, data_preprocessor: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(data_preprocessor)
        self.encoder = MODELS.build(dict(encoder))
        self.max_iters = max_iters
        # A buffer, so that a continued pre-training finds it.
        self.register_buffer("steps", torch.zeros((), dtype=torch.long))

    @property
    def width(self) -> int:
        """Channels of the bottom of the encoder."""
        return self.encoder.widths[-1]

    @property
    def progress(self) -> float:
        """Share of the optimiser steps done, 0 to 1."""
        return self.steps.item() / self.max_iters

    def bottom(self, images: Tensor) -> Tensor:
        """Return the bottom map (N, width, h, w) of images (N, C, H, W)."""
        return self.encoder(images.contiguous(memory_format=torch.channels_last))[-1]

    def pooled(self, images: Tensor) -> Tensor:
        """Return the representation (N, width): the mean of the bottom map."""
        return self.bottom(images).mean((2, 3))

    @abstractmethod
    def loss(self, inputs: Tensor, data_samples: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return the terms of the loss by name; each name contains `loss`."""

    def after_step(self) -> None:
        """Do what follows an optimiser step, such as moving a teacher."""

    def forward(self, inputs: Tensor, data_samples: Mapping[str, Tensor], mode: str = "loss") -> Any:
        """Return the losses (mode `loss`), or the representation (V, N, width) of all views (mode `tensor`)."""
        if mode == "loss":
            return self.loss(inputs, data_samples)
        return self.pooled(inputs.flatten(0, 1)).unflatten(0, inputs.shape[:2])

    def train_step(self, data: Mapping[str, Any], optim_wrapper: OptimWrapper) -> dict[str, Tensor]:
        """Make one optimiser step and what follows it."""
        losses = super().train_step(data, optim_wrapper)
        self.steps += 1
        self.after_step()
        return losses
