"""One step ahead of the weights: what a weighting of the loss would do to another loss.

With weights theta, a loss L_p(theta, omega) that depends on label confidences omega, a step theta_p = theta - eta
grad L_p, and a loss L_n, the derivative of L_n(theta_p) by omega is

    dL_n / d omega = - d/d omega < u, grad_theta L_p(theta, omega) >,   u = eta * grad L_n(theta_p).

`exact` takes it by double backward; `finite_difference` replaces the product by a central difference of L_p along u,
whose derivative by omega needs no second-order graph and, as L_p is taken from given logits, no backward pass through
the network. It holds for any loss that is a function of logits and omega, Dice terms among them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.attention import SDPBackend, sdpa_kernel

Weights = dict[str, Tensor]
Objective = Callable[[list[Tensor]], Tensor]
"""From a network's dense logits to a loss."""
WeightedObjective = Callable[[list[Tensor], Tensor], Tensor]
"""From dense logits and omega to a loss."""
REACH = 1e-2
"""Length of a finite difference's step in the space of weights."""


class LookAhead:
    """Forward passes of a network with other weights, which leave the network as it was.

    Every pass draws the same random numbers (dropout), sees a copy of the buffers (batch normalisation), and the
    generators continue afterwards as if nothing had happened.

    Args:
        model: A `DenseSegmentor` in training mode.
        rates: Learning rate of every trained parameter, by name.
    """

    def __init__(self, model: nn.Module, rates: Mapping[str, float]) -> None:
        self.model = model
        self.rates = rates
        self.start: Weights = {
            name: item.detach().clone().requires_grad_() for name, item in model.named_parameters() if name in rates
        }
        self._buffers = {name: item.clone() for name, item in model.named_buffers()}
        self._state = random_state()

    def logits(self, weights: Weights, inputs: Tensor) -> list[Tensor]:
        """Return the dense logits of standardised inputs (N, C, H, W) under some weights."""
        with same_random_numbers(self._state):
            found: list[Tensor] = functional_call(
                self.model, (weights, self._buffers), (inputs,), {"mode": "tensor"}, strict=False
            )
        return found

    def gradient(self, weights: Weights, inputs: Tensor, objective: Objective, graph: bool = False) -> Weights:
        """Return the gradient of an objective at some weights, 0 for those it does not reach."""
        loss = objective(self.logits(weights, inputs))
        found = torch.autograd.grad(loss, list(weights.values()), create_graph=graph, allow_unused=True)
        return {
            name: torch.zeros_like(item) if one is None else one
            for (name, item), one in zip(weights.items(), found, strict=True)
        }

    def ahead(self, weights: Weights, gradient: Weights) -> Weights:
        """Return the weights one plain gradient step further."""
        return {name: item - self.rates[name] * gradient[name] for name, item in weights.items()}


@contextmanager
def untouched(model: nn.Module) -> Iterator[None]:
    """Put the buffers of a network and torch's random numbers back as they were."""
    buffers = {name: item.clone() for name, item in model.named_buffers()}
    with same_random_numbers(random_state()):
        yield
    for name, item in model.named_buffers():
        item.copy_(buffers[name])


RandomState = tuple[Tensor, Tensor | None]


def random_state() -> RandomState:
    """Return the state of torch's generators, of the CPU and of the GPU in use."""
    return torch.get_rng_state(), torch.cuda.get_rng_state() if torch.cuda.is_available() else None


@contextmanager
def same_random_numbers(state: RandomState) -> Iterator[None]:
    """Draw from a given state, and be at that state again afterwards."""
    _rewind(state)
    try:
        yield
    finally:
        _rewind(state)


def _rewind(state: RandomState) -> None:
    torch.set_rng_state(state[0])
    if state[1] is not None:
        torch.cuda.set_rng_state(state[1])


def finite_difference(
    look: LookAhead,
    weights: Weights,
    omega: Tensor,
    fuzzy: tuple[Tensor, WeightedObjective],
    stable: tuple[Tensor, Objective],
    reach: float = REACH,
) -> tuple[Tensor, Weights]:
    """Return the derivative of the stable loss by omega, and the weights one step ahead.

    Args:
        look: The look-ahead.
        weights: Where the step begins; they require gradients.
        omega: Label confidences of any shape.
        fuzzy: Inputs of the step, and the loss it follows.
        stable: Inputs and loss that judge the step.
        reach: Length of the difference's step.
    """
    inputs, weighted = fuzzy
    fixed = omega.detach()
    step = look.gradient(weights, inputs, lambda logits: weighted(logits, fixed))
    ahead = _leaves(look.ahead(weights, step))
    judged = look.gradient(ahead, *stable)
    direction = {name: look.rates[name] * item for name, item in judged.items()}
    length = torch.sqrt(sum((item.double() ** 2).sum() for item in direction.values())).item()
    if length == 0:
        return torch.zeros_like(fixed), ahead
    scale = reach / length
    variable = fixed.clone().requires_grad_()
    with torch.no_grad():
        beyond, before = (
            look.logits({name: item + sign * scale * direction[name] for name, item in weights.items()}, inputs)
            for sign in (1, -1)
        )
    difference = (weighted(beyond, variable) - weighted(before, variable)) / (2 * scale)
    return -torch.autograd.grad(difference, variable)[0], ahead


def exact(
    look: LookAhead,
    weights: Weights,
    omega: Tensor,
    fuzzy: tuple[Tensor, WeightedObjective],
    stable: tuple[Tensor, Objective],
) -> tuple[Tensor, Weights]:
    """Return the same by double backward; attention then runs in the one kernel that can be differentiated twice."""
    inputs, weighted = fuzzy
    variable = omega.detach().clone().requires_grad_()
    with sdpa_kernel(SDPBackend.MATH):
        step = look.gradient(weights, inputs, lambda logits: weighted(logits, variable), graph=True)
        ahead = look.ahead(weights, step)
        loss = stable[1](look.logits(ahead, stable[0]))
        found = torch.autograd.grad(loss, variable)[0]
    return found, _leaves(ahead)


def _leaves(weights: Weights) -> Weights:
    return {name: item.detach().requires_grad_() for name, item in weights.items()}


def learning_rates(model: nn.Module, groups: list[dict[str, object]]) -> dict[str, float]:
    """Return the learning rate of every parameter an optimiser trains, by name."""
    rates = {id(item): float(group["lr"]) for group in groups for item in group["params"]}  # type: ignore[attr-defined]
    return {name: rates[id(item)] for name, item in model.named_parameters() if id(item) in rates}
