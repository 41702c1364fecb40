"""Plain training with several steps on every batch."""

from __future__ import annotations

from typing import Any

from mmengine.optim import OptimWrapper
from torch import Tensor, nn

from mmseg_ext.noise_robust.paradigm import PlainTraining
from mmseg_ext.noise_robust.requirements import require_single_steps
from mmseg_ext.registry import PARADIGMS
from mmseg_ext.suite.errors import InputError


@PARADIGMS.register_module()
class RepeatedTraining(PlainTraining):
    """The control of paradigms that make several optimiser steps an iteration: as many plain ones on the same batch.

    Args:
        times: Steps an iteration.

    Raises:
        InputError: For less than one step.
    """

    def __init__(self, times: int = 2) -> None:
        if times < 1:
            raise InputError("training paradigm", "times", times, "at least one step")
        self.times = times

    def step(self, model: nn.Module, batch: dict[str, Any], optim_wrapper: OptimWrapper) -> dict[str, Tensor]:
        """Make the steps; returned is the outcome of the last one.

        Raises:
            InputError: If gradients are accumulated over steps.
        """
        require_single_steps(optim_wrapper)
        for _ in range(self.times):
            outputs = super().step(model, batch, optim_wrapper)
        return outputs
