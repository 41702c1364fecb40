"""A diverged run stops at once."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch import Tensor

from mmseg_ext.registry import HOOKS


class NonFiniteError(ArithmeticError):
    """Training produced a value that is not a finite number.

    Args:
        what: What is not finite.
        iteration: Iteration, counted from 1, after which it was found.
    """

    def __init__(self, what: str, iteration: int) -> None:
        super().__init__(f"{what} at iteration {iteration}; a lower learning rate or fp32 may help")
        self.iteration = iteration


@HOOKS.register_module()
class FiniteHook(Hook):
    """Stop with `NonFiniteError` at the first loss that is NaN or infinite, before anything is saved."""

    priority = "VERY_HIGH"

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: object = None,
        outputs: Mapping[str, Any] | None = None,
    ) -> None:
        """Check the loss of the step just made."""
        loss = outputs["loss"].item()
        if not math.isfinite(loss):
            raise NonFiniteError(f"the loss is {loss}", runner.iter + 1)


def check_finite(weights: Mapping[str, Tensor], iteration: int) -> None:
    """Check weights before they are kept: a finite loss can still have given a gradient that is not.

    Raises:
        NonFiniteError: For the first tensor with a value that is not finite.
    """
    for name, tensor in weights.items():
        if tensor.is_floating_point() and not torch.isfinite(tensor).all():
            raise NonFiniteError(f"{name} is not finite", iteration)
