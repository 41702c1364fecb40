"""Co-teaching: two networks, each trained on the pixels that the other finds easy."""

from __future__ import annotations

from typing import Any

import torch
from mmengine.optim import OptimWrapper
from torch import Tensor, nn
from torch.utils.data import Dataset

from mmseg_ext.models.segmentors.dense_segmentor import IGNORE
from mmseg_ext.noise_robust.paradigm import PlainTraining
from mmseg_ext.noise_robust.peer import Peer
from mmseg_ext.noise_robust.weighting import averaged, on_device, total_loss
from mmseg_ext.registry import PARADIGMS
from mmseg_ext.suite.errors import InputError


@PARADIGMS.register_module()
class CoTeaching(PlainTraining):
    """Each network's share of pixels with the smallest cross-entropy trains the other (Han et al., arXiv 1804.06872).

    The share forgotten grows linearly from 0 to `forget` during the first part of the training. The paper chooses whole
    images; here it is pixels, class by class, so that a small object is never forgotten altogether. The released code
    divides the mean loss once more by the number kept, which is not repeated here. Only the first network predicts.

    Args:
        forget: Share forgotten in the end; the noise rate where it is known.
        ramp: Share of the iterations until then; 10 of 200 epochs in the paper.
        seed: Seed of the second network's first weights.

    Raises:
        InputError: For a share forgotten outside [0, 1), or a ramp longer than the training.
    """

    def __init__(self, forget: float = 0.2, ramp: float = 0.05, seed: int = 0) -> None:
        if not 0 <= forget < 1:
            raise InputError("training paradigm", "forget", forget, "a share of pixels from 0 to below 1")
        if not 0 <= ramp <= 1:
            raise InputError("training paradigm", "ramp", ramp, "a share of the iterations from 0 to 1")
        self.forget, self.ramp, self.seed = forget, ramp, seed
        self.done = 0
        """Iterations done."""

    def start(self, model: nn.Module, dataset: Dataset, max_iters: int) -> None:
        """Make the second network."""
        self.peer = Peer(model, self.seed + 1)
        self.ramp_iterations = max(1, round(self.ramp * max_iters))

    def step(self, model: nn.Module, batch: dict[str, Any], optim_wrapper: OptimWrapper) -> dict[str, Tensor]:
        """Make one step of either network."""
        inputs, labels = on_device(model, batch)
        forgotten = forgotten_share(self.done, self.ramp_iterations, self.forget)
        self.done += 1
        networks = (model, self.peer.model)
        with optim_wrapper.optim_context(model):
            logits = [network.dense_logits(inputs) for network in networks]
            chosen = [
                easiest(network.pixel_loss(own[0], labels).detach(), labels, forgotten)
                for network, own in zip(networks, logits, strict=True)
            ]
            losses = [
                total_loss(network, own, labels, averaged(mask, labels))
                for network, own, mask in zip(networks, logits, reversed(chosen), strict=True)
            ]
        optim_wrapper.update_params(losses[0])
        self.peer.update(losses[1], optim_wrapper)
        return {"loss": losses[0].detach(), "peer_loss": losses[1].detach()}

    def state_dict(self) -> dict[str, Any]:
        """Return the second network and the position on the ramp."""
        return {"done": self.done, "peer": self.peer.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` returned."""
        self.done = state["done"]
        self.peer.load_state_dict(state["peer"])


def forgotten_share(step: int, ramp: int, final: float) -> float:
    """Return the share forgotten at a step counted from 0: linear over `ramp` steps, the last of which has `final`."""
    return final * min(1.0, step / max(1, ramp - 1))


def easiest(losses: Tensor, labels: Tensor, forgotten: float) -> Tensor:
    """Return which pixels (N, H, W) are kept, as 0 or 1: of every class all but the share with the largest losses."""
    kept = torch.zeros_like(losses)
    for label in labels.unique().tolist():
        if label == IGNORE:
            continue
        places = torch.nonzero(labels.flatten() == label)[:, 0]
        count = max(1, int((1 - forgotten) * len(places)))
        order = losses.flatten()[places].argsort(stable=True)[:count]
        kept.view(-1)[places[order]] = 1
    return kept
