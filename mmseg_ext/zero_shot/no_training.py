"""A run that trains nothing."""

from __future__ import annotations

from typing import Any

from mmengine.optim import OptimWrapper
from torch import Tensor, nn

from mmseg_ext.noise_robust.paradigm import PlainTraining
from mmseg_ext.registry import PARADIGMS


@PARADIGMS.register_module()
class NoTraining(PlainTraining):
    """Leave the network as it is, for methods that need no training; the run is validated and exported as any other."""

    def step(self, model: nn.Module, batch: dict[str, Any], optim_wrapper: OptimWrapper) -> dict[str, Tensor]:
        """Return the loss 0."""
        return {"loss": batch["inputs"].new_zeros(())}
