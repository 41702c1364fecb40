"""Plain training with several steps on every batch."""

from __future__ import annotations

from typing import Any

from mmengine.optim import OptimWrapper
from torch import Tensor, nn

from mmseg_ext.noise_robust.paradigm import PlainTraining
from mmseg_ext.registry import PARADIGMS


@PARADIGMS.register_module()
class RepeatedTraining(PlainTraining):
    """The control of paradigms that make several optimiser steps an iteration: as many plain ones on the same batch.

    Args:
        times: Steps an iteration.
    """

    def __init__(self, times: int = 2) -> None:
        self.times = times

    def step(self, model: nn.Module, batch: dict[str, Any], optim_wrapper: OptimWrapper) -> dict[str, Tensor]:
        """Make the steps; returned is the outcome of the last one."""
        for _ in range(self.times):
            outputs = super().step(model, batch, optim_wrapper)
        return outputs
