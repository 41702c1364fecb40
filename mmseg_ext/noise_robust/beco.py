"""BECO: two networks, labels where they are reliable, each other's predictions where they are not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as F
from mmengine.optim import OptimWrapper
from torch import Tensor, nn
from torch.utils.data import Dataset

from mmseg_ext.models.segmentors.dense_segmentor import IGNORE
from mmseg_ext.noise_robust.look_ahead import untouched
from mmseg_ext.noise_robust.paradigm import PlainTraining
from mmseg_ext.noise_robust.peer import Peer
from mmseg_ext.noise_robust.region_split import RegionSplit
from mmseg_ext.noise_robust.weighting import on_device
from mmseg_ext.registry import PARADIGMS
from mmseg_ext.suite.errors import InputError

BOUNDARY = 0.2
"""Additional weight of the pasted objects' borders."""
CONFIDENT = 0.95
"""Mean probability above which a pixel may be pasted."""


@PARADIGMS.register_module()
class BECO(PlainTraining):
    """Boundary-enhanced co-training (Rong et al., CVPR 2023).

    For each network n, with labels Y, reliable pixels m, pasted borders b and means over all pixels,

        L_n = mean(CE(z_n, Y) m (1 + 0.2 b)) + mean(CE(z_n, argmax z_other) (1 - m)).

    After a first part of the training, half of the images get confident foreground of another image of the batch
    pasted over them, with its prediction as label. The paper's m comes with its pseudo-labels; here it is DALE's
    non-fuzzy part [inferred], and pasted pixels. The paper predicts with both networks, here only the first one does.

    Args:
        split: Arguments of `RegionSplit`, whose pixels below the threshold are reliable.
        warm_up: Share of the iterations before anything is pasted; 1 of 80 epochs in the paper.
        seed: Seed of the second network and of what is pasted.

    Raises:
        InputError: For a share outside [0, 1].
    """

    def __init__(self, split: Mapping[str, Any] | None = None, warm_up: float = 1 / 80, seed: int = 0) -> None:
        if not 0 <= warm_up <= 1:
            raise InputError("training paradigm", "warm_up", warm_up, "a share of the iterations from 0 to 1")
        self.split = RegionSplit(**(split or {}))
        self.warm_up, self.seed = warm_up, seed
        self.random = torch.Generator().manual_seed(seed)
        self.done = 0
        """Iterations done."""

    def start(self, model: nn.Module, dataset: Dataset, max_iters: int) -> None:
        """Make the second network."""
        self.split.patch(*dataset.size)
        self.peer = Peer(model, self.seed + 1)
        self.first_paste = round(self.warm_up * max_iters)

    def step(self, model: nn.Module, batch: dict[str, Any], optim_wrapper: OptimWrapper) -> dict[str, Tensor]:
        """Make one step of either network."""
        inputs, labels = on_device(model, batch)
        reliable = (~self.split(batch["inputs"].to(inputs.device), labels).is_fuzzy).float()
        border = torch.zeros_like(reliable)
        if self.done >= self.first_paste:
            inputs, labels, reliable, border = self._pasted(model, inputs, labels, reliable)
        self.done += 1
        with optim_wrapper.optim_context(model):
            logits = [network.dense_logits(inputs) for network in (model, self.peer.model)]
            full = [F.interpolate(one[0], size=labels.shape[-2:], mode="bilinear") for one in logits]
            losses = [
                sum(co_training_loss(own, other, labels, reliable, border)) for own, other in (full, reversed(full))
            ]
        optim_wrapper.update_params(losses[0])
        self.peer.update(losses[1], optim_wrapper)
        return {"loss": losses[0].detach(), "peer_loss": losses[1].detach(), "pasted": border.mean()}

    def _pasted(
        self, model: nn.Module, inputs: Tensor, labels: Tensor, reliable: Tensor
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Paste confident foreground of the next image of the batch over half of the images."""
        chosen = (torch.rand(len(inputs), generator=self.random) < 0.5).to(inputs.device)
        with torch.no_grad(), untouched(model), untouched(self.peer.model):
            mean = torch.stack([_probabilities(network, inputs) for network in (model, self.peer.model)]).mean(0)
        confidence, predicted = mean.max(1)
        donor = ((confidence > CONFIDENT) & (predicted > 0)).roll(-1, 0) & chosen[:, None, None]
        inputs = torch.where(donor[:, None], inputs.roll(-1, 0), inputs)
        labels = torch.where(donor, predicted.roll(-1, 0), labels)
        reliable = torch.where(donor, torch.ones_like(reliable), reliable)
        return inputs, labels, reliable, paste_border(donor)

    def state_dict(self) -> dict[str, Any]:
        """Return the second network, the position and the random numbers."""
        return {"done": self.done, "peer": self.peer.state_dict(), "random": self.random.get_state()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` returned."""
        self.done = state["done"]
        self.peer.load_state_dict(state["peer"])
        self.random.set_state(state["random"])


def co_training_loss(
    own: Tensor, other: Tensor, labels: Tensor, reliable: Tensor, border: Tensor
) -> tuple[Tensor, Tensor]:
    """Return the two terms of a network's loss; ignored pixels count in neither, but in the mean.

    Args:
        own: Its logits (N, K, H, W).
        other: Those of the other network, from which no gradient comes.
        labels: (N, H, W) class ids.
        reliable: (N, H, W) m.
        border: (N, H, W) b.
    """
    valid = (labels != IGNORE).to(own.dtype)
    supervised = F.cross_entropy(own, labels, ignore_index=IGNORE, reduction="none")
    crossed = F.cross_entropy(own, other.detach().argmax(1), reduction="none")
    return (supervised * reliable * (1 + BOUNDARY * border)).mean(), (crossed * (1 - reliable) * valid).mean()


def paste_border(mask: Tensor) -> Tensor:
    """Return the border (N, H, W) of pasted masks: a 3 x 3 dilation without the erosion."""
    values = mask.float()[:, None]
    return (F.max_pool2d(values, 3, 1, 1) + F.max_pool2d(-values, 3, 1, 1))[:, 0]


def _probabilities(network: nn.Module, inputs: Tensor) -> Tensor:
    network.eval()
    found: Tensor = network.encode_decode(inputs).softmax(1)
    network.train()
    return found
