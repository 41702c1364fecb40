"""What one training iteration does, apart from the network it trains."""

from __future__ import annotations

from typing import Any

from mmengine.optim import OptimWrapper
from torch import Tensor, nn
from torch.utils.data import Dataset

from mmseg_ext.registry import PARADIGMS

NETWORK_ENTRIES = ("inputs", "data_samples", "text")
"""Entries of a batch that are the network's; a text only where the network reads one."""


@PARADIGMS.register_module()
class PlainTraining:
    """One forward pass, one backward pass, one optimiser step: what every other paradigm is compared with.

    Other paradigms derive from it. They hold what they learn beside the network (label confidences, a second network)
    and never change the network itself, so that prediction costs the same for all of them.
    """

    def start(self, model: nn.Module, dataset: Dataset, max_iters: int) -> None:
        """Get ready: called once before the first iteration, and before `load_state_dict` when a run continues.

        Args:
            model: The network on its device.
            dataset: Training samples; `batch["item"]` counts in it.
            max_iters: Iterations in all.
        """

    def step(self, model: nn.Module, batch: dict[str, Any], optim_wrapper: OptimWrapper) -> dict[str, Tensor]:
        """Make the optimiser steps of one iteration.

        Args:
            model: The network, in training mode.
            batch: As `mmseg_ext.engine.dataset.stack_samples` gives it.
            optim_wrapper: The optimiser.

        Returns:
            `loss`, and any further scalars to record.
        """
        plain = {name: batch[name] for name in NETWORK_ENTRIES if name in batch}
        outputs: dict[str, Tensor] = model.train_step(plain, optim_wrapper=optim_wrapper)
        return outputs

    def maps(self, model: nn.Module, batch: dict[str, Any]) -> dict[str, Tensor]:
        """Return what the paradigm holds of the pixels of a batch, once training is done.

        Args:
            model: The trained network.
            batch: Training samples as in `step`, not augmented.

        Returns:
            Maps (N, H, W) with values from 0 to 1, by name; `fuzzy`: share of a pixel in the fuzzy set, `confidence`:
            trust in its label. Nothing here, as a plain training knows nothing of its labels.
        """
        return {}

    def state_dict(self) -> dict[str, Any]:
        """Return what a continued run must find as it was: tensors, numbers, strings, lists and dictionaries only."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` returned."""
