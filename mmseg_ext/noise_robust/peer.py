"""A second network that learns beside the first and is gone at prediction."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import torch
from mmengine.optim import OptimWrapper
from torch import Tensor, nn

from mmseg_ext.noise_robust.second_optimizer import SecondOptimizer


class Peer:
    """A copy of a network with other first weights, and an optimiser of the same kind as the network's.

    Args:
        model: The network, before training.
        seed: Seed of the peer's first weights.
    """

    def __init__(self, model: nn.Module, seed: int) -> None:
        self.model = started_anew(model, seed).train()
        self.optimizer = SecondOptimizer(self.model.parameters())

    def update(self, loss: Tensor, optim_wrapper: OptimWrapper) -> None:
        """Make a step of the peer with the kind and the present learning rate of the network's optimiser."""
        self.optimizer.step(self.optimizer.gradients(loss), optim_wrapper)

    def state_dict(self) -> dict[str, Any]:
        """Return the weights, and the optimiser's state once there is one."""
        return {"model": self.model.state_dict(), "optimizer": self.optimizer.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore what `state_dict` returned."""
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])


def started_anew(module: nn.Module, seed: int) -> nn.Module:
    """Return a copy of a module with first weights drawn from a seed; torch's own random numbers do not move."""
    copied = copy.deepcopy(module)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        for part in copied.modules():
            if hasattr(part, "reset_parameters"):
                part.reset_parameters()
    return copied
