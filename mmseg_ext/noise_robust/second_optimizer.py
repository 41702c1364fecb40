"""An optimiser for what learns beside the network."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Sequence
from typing import Any

import torch
from mmengine.optim import OptimWrapper
from torch import Tensor, nn


class SecondOptimizer:
    """Steps on parameters beside the network's, by an optimiser of the same kind and with its present learning rate.

    Options of single groups of the network's parameters do not follow. No gradient is left anywhere.

    Args:
        parameters: What learns; frozen ones are left out.
    """

    def __init__(self, parameters: Iterable[nn.Parameter]) -> None:
        self.parameters = [item for item in parameters if item.requires_grad]
        self.made: torch.optim.Optimizer | None = None
        """The optimiser, once the network's is known."""
        self._pending: dict[str, Any] | None = None

    def gradients(self, loss: Tensor, retain_graph: bool = False) -> Sequence[Tensor | None]:
        """Return the gradient of a loss, None for parameters it does not reach."""
        return torch.autograd.grad(loss, self.parameters, retain_graph=retain_graph, allow_unused=True)

    def step(self, gradients: Sequence[Tensor | None], optim_wrapper: OptimWrapper) -> None:
        """Make one step along given gradients."""
        optimizer = self._made_like(optim_wrapper.optimizer)
        for group in optimizer.param_groups:
            group["lr"] = optim_wrapper.param_groups[-1]["lr"]
        for item, gradient in zip(self.parameters, gradients, strict=True):
            item.grad = gradient
        optimizer.step()
        optimizer.zero_grad()

    def _made_like(self, other: torch.optim.Optimizer) -> torch.optim.Optimizer:
        if self.made is None:
            # An optimiser's defaults also hold what its own constructor sets.
            accepted = inspect.signature(type(other)).parameters
            options = {name: value for name, value in other.defaults.items() if name in accepted}
            self.made = type(other)(self.parameters, **options)
            if self._pending is not None:
                self.made.load_state_dict(self._pending)
        return self.made

    def state_dict(self) -> dict[str, Any] | None:
        """Return the optimiser's state, None before its first step."""
        return self._pending if self.made is None else self.made.state_dict()

    def load_state_dict(self, state: dict[str, Any] | None) -> None:
        """Restore what `state_dict` returned; it is taken up as soon as the optimiser is made."""
        self._pending = state
        self.made = None
