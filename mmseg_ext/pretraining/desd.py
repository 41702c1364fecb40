"""Deep self-distillation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from mmseg_ext.pretraining.frame import Pretrainer
from mmseg_ext.pretraining.heads import Prototypes, mlp
from mmseg_ext.pretraining.momentum import follow, frozen_copy, rising_momentum
from mmseg_ext.registry import MODELS

_WARM_UP = 0.3
"""Share of the training in which the teacher's temperature rises, as in DINO (Caron et al., ICCV 2021)."""


@MODELS.register_module()
class DeSD(Pretrainer):
    """Every stage of a student matches the last stage of a slow teacher on the other view (Ye et al., MICCAI 2022).

    The original is three-dimensional; here the heads read the mean of each map of the encoder but the first. Sizes of
    the heads are ours: the 36.76 million parameters that SuperCL's comparison prints could not be taken apart.

    Args:
        hidden: Width of the two hidden layers of a head.
        width: Length of the vectors before the prototypes.
        prototypes: How many.
        momentum: Of the teacher at the start; it rises to 1.
        teacher_temperature: At the start and after the first three tenths of the training.
        student_temperature: Temperature of the student.
        centre_momentum: Of the mean that is taken off the teacher's scores.
        **kwargs: Those of `Pretrainer`.
    """

    def __init__(
        self,
        hidden: int = 2048,
        width: int = 256,
        prototypes: int = 8192,
        momentum: float = 0.996,
        teacher_temperature: tuple[float, float] = (0.04, 0.07),
        student_temperature: float = 0.1,
        centre_momentum: float = 0.9,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.momentum = momentum
        self.teacher_temperature = teacher_temperature
        self.student_temperature = student_temperature
        self.centre_momentum = centre_momentum
        self.heads = nn.ModuleList(
            nn.Sequential(mlp([each, hidden, hidden, width], batch_norm=True), Prototypes(width, prototypes))
            for each in self.encoder.widths[1:]
        )
        self.slow_encoder, self.slow_head = frozen_copy(self.encoder), frozen_copy(self.heads[-1])
        self.register_buffer("centre", torch.zeros(prototypes))

    def loss(self, inputs: Tensor, data_samples: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return `loss_stage_1`, … of two views, each the mean of both directions."""
        images = inputs.flatten(0, 1).contiguous(memory_format=torch.channels_last)
        with torch.no_grad():
            scores = self.slow_head(self.slow_encoder(images)[-1].mean((2, 3))).float()
            target = ((scores - self.centre) / self._teacher_temperature()).softmax(1)
            # The other view of each slice.
            target = torch.cat(target.chunk(2)[::-1])
            self.centre.lerp_(scores.mean(0), 1 - self.centre_momentum)
        losses = {}
        for index, (head, level) in enumerate(zip(self.heads, self.encoder(images)[1:], strict=True), start=1):
            predicted = (head(level.mean((2, 3))).float() / self.student_temperature).log_softmax(1)
            losses[f"loss_stage_{index}"] = -(target * predicted).sum(1).mean()
        return losses

    def _teacher_temperature(self) -> float:
        first, last = self.teacher_temperature
        return first + (last - first) * min(1.0, self.progress / _WARM_UP)

    def after_step(self) -> None:
        """Move the teacher."""
        momentum = rising_momentum(self.momentum, self.progress)
        follow(self.slow_encoder, self.encoder, momentum)
        follow(self.slow_head, self.heads[-1], momentum)
