"""Meta-Weight-Net (Shu et al., NeurIPS 2019, arXiv 1902.07379)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import Dataset

from mmseg_ext.noise_robust.reweighting import Reweighting
from mmseg_ext.registry import PARADIGMS


@PARADIGMS.register_module()
class MWNet(Reweighting):
    """A small network turns the loss of a patch into its weight and learns from the trusted loss one step ahead.

    The network has one hidden layer of 100 units and a sigmoid; it learns by Adam (1e-3, weight decay 1e-4).

    Args:
        split: As in `Reweighting`.
        seed: Seed of the small network's first weights.
    """

    def __init__(self, split: Mapping[str, Any] | None = None, seed: int = 0) -> None:
        super().__init__(split)
        self.seed = seed

    def start(self, model: nn.Module, dataset: Dataset, max_iters: int) -> None:
        """Make the small network."""
        super().start(model, dataset, max_iters)
        device = next(model.parameters()).device
        with torch.random.fork_rng():
            torch.manual_seed(self.seed)
            self.network = nn.Sequential(nn.Linear(1, 100), nn.ReLU(), nn.Linear(100, 1), nn.Sigmoid()).to(device)
        self.optimizer = torch.optim.Adam(self.network.parameters(), lr=1e-3, weight_decay=1e-4)

    def weights(self, losses: Tensor, slope: Any) -> Tensor:
        """Return the weights after a step of the small network."""
        found = self._weigh(losses)
        derivative = slope(found.detach(), 1 / found.numel())
        self.optimizer.zero_grad()
        found.backward(derivative)
        self.optimizer.step()
        return self._weigh(losses).detach()

    def _weigh(self, losses: Tensor) -> Tensor:
        found: Tensor = self.network(losses.flatten()[:, None])
        return found.view(losses.shape)

    def state_dict(self) -> dict[str, Any]:
        """Return the small network and its optimiser."""
        return {"network": self.network.state_dict(), "optimizer": self.optimizer.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` returned."""
        self.network.load_state_dict(state["network"])
        self.optimizer.load_state_dict(state["optimizer"])
