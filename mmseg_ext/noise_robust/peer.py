"""A second network that learns beside the first and is gone at prediction."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Mapping
from typing import Any

import torch
from mmengine.optim import OptimWrapper
from torch import Tensor, nn


class Peer:
    """A copy of a network with other first weights, and an optimiser of the same kind as the network's.

    Its learning rate follows that of the network; options of single groups of parameters do not.

    Args:
        model: The network, before training.
        seed: Seed of the peer's first weights.
    """

    def __init__(self, model: nn.Module, seed: int) -> None:
        self.model = copy.deepcopy(model)
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            for module in self.model.modules():
                if hasattr(module, "reset_parameters"):
                    module.reset_parameters()
        self.model.train()
        self._optimizer: torch.optim.Optimizer | None = None
        self._pending: dict[str, Any] | None = None

    def update(self, loss: Tensor, optim_wrapper: OptimWrapper) -> None:
        """Make a step of the peer with the kind and the present learning rate of the network's optimiser."""
        optimizer = self._made_like(optim_wrapper.optimizer)
        for group in optimizer.param_groups:
            group["lr"] = optim_wrapper.param_groups[-1]["lr"]
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    def _made_like(self, other: torch.optim.Optimizer) -> torch.optim.Optimizer:
        if self._optimizer is None:
            trained = [item for item in self.model.parameters() if item.requires_grad]
            # An optimiser's defaults also hold what its own constructor sets.
            accepted = inspect.signature(type(other)).parameters
            options = {name: value for name, value in other.defaults.items() if name in accepted}
            self._optimizer = type(other)(trained, **options)
            if self._pending is not None:
                self._optimizer.load_state_dict(self._pending)
        return self._optimizer

    def state_dict(self) -> dict[str, Any]:
        """Return the weights, and the optimiser's state once there is one."""
        optimizer = self._pending if self._optimizer is None else self._optimizer.state_dict()
        return {"model": self.model.state_dict(), "optimizer": optimizer}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore what `state_dict` returned; the optimiser takes its part as soon as it is made."""
        self.model.load_state_dict(state["model"])
        self._pending = state["optimizer"]
        self._optimizer = None
