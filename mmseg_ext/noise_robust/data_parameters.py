"""Data parameters (Saxena et al., NeurIPS 2019): a temperature for every training image."""

from __future__ import annotations

import math
from typing import Any

import torch
from mmengine.optim import OptimWrapper
from torch import Tensor, nn
from torch.utils.data import Dataset

from mmseg_ext.noise_robust.paradigm import PlainTraining
from mmseg_ext.noise_robust.weighting import on_device, total_loss
from mmseg_ext.registry import PARADIGMS
from mmseg_ext.suite.errors import InputError

LIMIT = math.log(20)
"""Largest size of a temperature's logarithm."""


@PARADIGMS.register_module()
class DataParameters(PlainTraining):
    """Logits are divided by a temperature of their image, which learns by gradient descent beside the network.

    An image whose label disagrees with what the network learns elsewhere gets hotter and counts less. Temperatures
    begin at 1, stay within [1/20, 20], move only when their image is seen, and are gone at prediction. The paper has
    temperatures of classes as well; with two classes of pixels these are left out [ours].

    Args:
        rate: Learning rate of the logarithms of the temperatures; 0.2 to 0.8 in the paper's code.

    Raises:
        InputError: For a rate that is not larger than 0.
    """

    def __init__(self, rate: float = 0.2) -> None:
        if not rate > 0:
            raise InputError("training paradigm", "rate", rate, "a learning rate larger than 0")
        self.rate = rate

    def start(self, model: nn.Module, dataset: Dataset, max_iters: int) -> None:
        """Begin with temperature 1 for every image."""
        self.logarithms = torch.zeros(len(dataset), device=next(model.parameters()).device)

    def step(self, model: nn.Module, batch: dict[str, Any], optim_wrapper: OptimWrapper) -> dict[str, Tensor]:
        """Make one step of the network and of the temperatures of the batch."""
        inputs, labels = on_device(model, batch)
        items = batch["item"].to(labels.device)
        own = self.logarithms[items].requires_grad_()
        with optim_wrapper.optim_context(model):
            logits = [one / own.exp()[:, None, None, None] for one in model.dense_logits(inputs)]
            loss = total_loss(model, logits, labels)
        # The mean over the batch gives an image a share of its loss; the paper's rates are for the whole of it.
        (slope,) = torch.autograd.grad(loss * len(items), own, retain_graph=True)
        optim_wrapper.update_params(loss)
        self.logarithms[items] = (own.detach() - self.rate * slope).clamp(-LIMIT, LIMIT)
        return {"loss": loss.detach(), "temperature": self.logarithms.exp().mean()}

    def state_dict(self) -> dict[str, Any]:
        """Return the temperatures."""
        return {"logarithms": self.logarithms}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` returned."""
        self.logarithms.copy_(state["logarithms"])
