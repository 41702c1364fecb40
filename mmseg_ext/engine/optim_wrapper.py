"""Mixed precision on any device."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from mmengine.device import get_device
from mmengine.logging import print_log
from mmengine.optim import OptimWrapper
from torch import Tensor, nn

from mmseg_ext.registry import OPTIM_WRAPPERS

AUTOCAST = {"fp16": torch.float16, "bf16": torch.bfloat16}


def emulates_bf16(device: str) -> bool:
    """Return whether the processor has no instructions for bf16: torch then computes it many times slower than fp32."""
    return device == "cpu" and torch.backends.cpu.get_cpu_capability() == "AVX2"


@OPTIM_WRAPPERS.register_module()
class PrecisionOptimWrapper(OptimWrapper):
    """Optimiser steps in fp32, or in automatic mixed precision with fp16 (scaled gradients) or bf16.

    MMEngine's `AmpOptimWrapper` refuses a CPU.

    Args:
        precision: `fp32`, `fp16` or `bf16`.
        **kwargs: Those of `OptimWrapper`.
    """

    def __init__(self, precision: str = "fp32", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.device = get_device()
        self.dtype = AUTOCAST.get(precision)
        self.scaler = torch.amp.GradScaler(self.device, enabled=precision == "fp16")
        if self.dtype == torch.bfloat16 and emulates_bf16(self.device):
            slow = "this processor emulates bf16, many times slower than fp32: set `precision: fp32` in the suite"
            print_log(slow, "current", logging.WARNING)

    @contextmanager
    def optim_context(self, model: nn.Module) -> Iterator[None]:
        """Run the forward pass in the chosen precision."""
        with (
            super().optim_context(model),
            torch.autocast(self.device, dtype=self.dtype, enabled=self.dtype is not None),
        ):
            yield

    def backward(self, loss: Tensor, **kwargs: Any) -> None:
        """Back-propagate the scaled loss."""
        super().backward(self.scaler.scale(loss), **kwargs)

    def step(self, **kwargs: Any) -> None:
        """Unscale, clip if asked to, and update; a step whose fp16 gradients overflowed is left out."""
        if self.clip_grad_kwargs:
            self.scaler.unscale_(self.optimizer)
            self._clip_grad()
        self.scaler.step(self.optimizer, **kwargs)
        self.scaler.update()

    def state_dict(self) -> dict[str, Any]:
        """Return the state of optimiser and scaler."""
        return {"optimizer": super().state_dict(), "scaler": self.scaler.state_dict()}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore what `state_dict` returned."""
        super().load_state_dict(state_dict["optimizer"])
        self.scaler.load_state_dict(state_dict["scaler"])
