"""CIRL: features that do not change with an image's style, are independent, and all carry the class."""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F
from mmengine.optim import OptimWrapper
from torch import Tensor, nn
from torch.utils.data import Dataset

from mmseg_ext.noise_robust.paradigm import PlainTraining
from mmseg_ext.noise_robust.peer import started_anew
from mmseg_ext.noise_robust.second_optimizer import SecondOptimizer
from mmseg_ext.noise_robust.weighting import on_device, total_loss
from mmseg_ext.registry import PARADIGMS
from mmseg_ext.suite.errors import InputError

WHERE = "training paradigm"


@PARADIGMS.register_module()
class CIRL(PlainTraining):
    """Causality-inspired representation learning (Lv et al., CVPR 2022, arXiv 2203.14237), brought to segmentation.

    That the row "CIRL" of DALE's table means this paper is inferred; the table does not spell it out.

    Known from released code: every image has a copy whose Fourier amplitudes are mixed with those of another image
    (share from U(0, 1), phases kept). A factorisation loss makes each channel of the pooled features agree between
    image and copy, and channels differ. A masker marks the channels that decide most; one head sees those, the other
    one the rest. Network and heads make a step on 1/2 L_marked + 1/2 L_rest + w L_fac, then the masker one on
    1/2 L_marked - 1/2 L_rest. At first both heads see all channels, and w rises.

    Inferred: features are those before the network's last layer; factorisation and masker look at their spatial means,
    and the mask multiplies the map; the network's last layer is the head that predicts, without mask, and the other
    one is a copy of it with other first weights; the losses are the network's own. Ours: the image to mix with is the
    next one of the batch; the masker learns once masks are in use, from the features of the same forward pass; heads
    and masker follow the network's learning rate, where the code has ten times that of a pre-trained encoder; lengths
    in epochs, of 50, are shares of the training. The mixed image is clamped to its range.

    Args:
        kept: Share of the channels that the masker marks; 308 of 512 in the code.
        temperature: Of the Gumbel softmax that marks a channel.
        weight: Factor w of the factorisation loss in the end.
        ramp: Share of the iterations in which w rises; 5 epochs in the code.
        warm_up: Share of the iterations without masks; 6 epochs in the code.
        seed: Seed of the first weights of head and masker, and of the mixing.

    Raises:
        InputError: For a value that cannot be.
    """

    def __init__(
        self,
        kept: float = 308 / 512,
        temperature: float = 0.5,
        weight: float = 5.0,
        ramp: float = 5 / 50,
        warm_up: float = 6 / 50,
        seed: int = 0,
    ) -> None:
        if not 0 < kept < 1:
            raise InputError(WHERE, "kept", kept, "a share of channels between 0 and 1")
        if not temperature > 0:
            raise InputError(WHERE, "temperature", temperature, "a temperature larger than 0")
        if weight < 0:
            raise InputError(WHERE, "weight", weight, "a factor of at least 0")
        for name, value in (("ramp", ramp), ("warm_up", warm_up)):
            if not 0 <= value <= 1:
                raise InputError(WHERE, name, value, "a share of the iterations from 0 to 1")
        self.kept, self.temperature, self.weight = kept, temperature, weight
        self.ramp, self.warm_up, self.seed = ramp, warm_up, seed
        self.random = torch.Generator().manual_seed(seed)
        self.done = 0
        """Iterations done."""

    def start(self, model: nn.Module, dataset: Dataset, max_iters: int) -> None:
        """Make the second head and the masker.

        Raises:
            InputError: If the network's last layer is no convolution.
        """
        if not isinstance(model.last_layer, nn.Conv2d):
            expected = "a convolution as the network's last layer, for CIRL's second head"
            raise InputError(WHERE, "last_layer", type(model.last_layer).__name__, expected)
        self.ramp_iterations, self.first_mask = self.ramp * max_iters, round(self.warm_up * max_iters)
        self.head = started_anew(model.last_layer, self.seed + 1).train()
        masker = Masker(model.last_layer.in_channels, self.kept, self.temperature)
        self.masker = started_anew(masker, self.seed + 2).to(next(model.parameters()).device).train()
        self.head_optimizer = SecondOptimizer(self.head.parameters())
        self.masker_optimizer = SecondOptimizer(self.masker.parameters())

    def step(self, model: nn.Module, batch: dict[str, Any], optim_wrapper: OptimWrapper) -> dict[str, Tensor]:
        """Make one step of the network and the heads, then one of the masker.

        Raises:
            InputError: For a batch of one image, over which nothing can be correlated.
        """
        if len(batch["inputs"]) < 2:
            raise InputError(WHERE, "batch_size", len(batch["inputs"]), "at least 2 in the schedule, for CIRL")
        inputs, labels = on_device(model, self._with_copies(batch))
        masked = self.done >= self.first_mask
        with optim_wrapper.optim_context(model):
            logits, features = model.logits_and_features(inputs)
            pooled = features.mean((2, 3))
            mask = self.masker(pooled.detach()).detach() if masked else torch.ones_like(pooled)
            marked, rest = self._losses(model, features, mask, logits[1:], labels)
            factors = factorisation(*pooled.float().chunk(2))
            loss = (marked + rest) / 2 + rising(self.done, self.ramp_iterations, self.weight) * factors
        gradients = self.head_optimizer.gradients(loss, retain_graph=True)
        optim_wrapper.update_params(loss)
        self.head_optimizer.step(gradients, optim_wrapper)
        if masked:
            with optim_wrapper.optim_context(model):
                mask = self.masker(pooled.detach())
                auxiliary = [one.detach() for one in logits[1:]]
                better, worse = self._losses(model, features.detach(), mask, auxiliary, labels)
            gradients = self.masker_optimizer.gradients((better - worse) / 2)
            self.masker_optimizer.step(gradients, optim_wrapper)
        self.done += 1
        return {"loss": loss.detach(), "factorisation": factors.detach(), "rest_loss": rest.detach()}

    def _with_copies(self, batch: dict[str, Any]) -> dict[str, Any]:
        images = batch["inputs"]
        shares = torch.rand(len(images), generator=self.random).to(images)
        mixed = amplitudes_mixed(images, images.roll(-1, 0), shares).clamp(0, 1)
        doubled = torch.cat([images, mixed]).contiguous(memory_format=torch.channels_last)
        texts = {"text": [*batch["text"], *batch["text"]]} if "text" in batch else {}
        return {**batch, "inputs": doubled, "data_samples": batch["data_samples"].repeat(2, 1, 1), **texts}

    def _losses(
        self, model: nn.Module, features: Tensor, mask: Tensor, auxiliary: list[Tensor], labels: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return the loss of the marked channels, seen by the network's head, and that of the rest."""
        shown = mask[:, :, None, None]
        marked = total_loss(model, [model.last_layer(features * shown), *auxiliary], labels)
        # Without masks both heads see everything.
        hidden = 1 - shown if self.done >= self.first_mask else shown
        return marked, total_loss(model, [self.head(features * hidden), *auxiliary], labels)

    def state_dict(self) -> dict[str, Any]:
        """Return head, masker, their optimisers, the position and the random numbers."""
        return {
            "done": self.done,
            "random": self.random.get_state(),
            "head": self.head.state_dict(),
            "masker": self.masker.state_dict(),
            "head_optimizer": self.head_optimizer.state_dict(),
            "masker_optimizer": self.masker_optimizer.state_dict(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` returned."""
        self.done = state["done"]
        self.random.set_state(state["random"])
        for name in ("head", "masker", "head_optimizer", "masker_optimizer"):
            getattr(self, name).load_state_dict(state[name])


class Masker(nn.Module):
    """From pooled features (N, D) to a mask (N, D) in [0, 1] that is near 1 for the channels that decide most.

    Dropout, layers of widths 4D, 4D and D with batch normalisation, then as many rounds of Gumbel softmax as channels
    are marked, each fed with what the last one returned; the largest value of a channel counts.

    Args:
        width: D.
        kept: Share of the channels that is marked.
        temperature: Of the Gumbel softmax.
    """

    def __init__(self, width: int, kept: float, temperature: float) -> None:
        super().__init__()
        self.rounds, self.temperature = max(1, round(kept * width)), temperature
        self.layers = nn.Sequential(
            nn.Dropout(0.5),
            nn.Linear(width, 4 * width),
            nn.BatchNorm1d(4 * width),
            nn.ReLU(),
            nn.Linear(4 * width, 4 * width),
            nn.BatchNorm1d(4 * width),
            nn.ReLU(),
            nn.Linear(4 * width, width),
            nn.BatchNorm1d(width, affine=False),
        )

    def forward(self, pooled: Tensor) -> Tensor:
        """Return the mask; it differs from call to call."""
        soft = self.layers(pooled).float()
        mask = torch.zeros_like(soft)
        for _ in range(self.rounds):
            soft = F.gumbel_softmax(soft, tau=self.temperature, dim=1)
            mask = torch.maximum(mask, soft)
        return mask


def factorisation(features: Tensor, others: Tensor) -> Tensor:
    """Return mean (C_kk - 1)^2 + 0.005 mean (C_jk)^2 for j != k, C the correlation of two views' features (N, D).

    Standard deviations are those of a sample, so that the loss of equal views is (1/N)^2 and what correlates in them.
    """
    count, width = features.shape
    one, other = ((each - each.mean(0)) / (each.std(0) + 1e-6) for each in (features, others))
    correlation = one.T @ other / count
    diagonal = correlation.diagonal()
    apart = (correlation**2).sum() - (diagonal**2).sum()
    return ((diagonal - 1) ** 2).mean() + 0.005 * apart / max(1, width * (width - 1))


def amplitudes_mixed(images: Tensor, others: Tensor, shares: Tensor) -> Tensor:
    """Return images (N, C, H, W) with their own phases, and amplitudes partly of others.

    Args:
        images: (N, C, H, W).
        others: Of the same shape.
        shares: (N,) share of the other's amplitude, at every frequency.
    """
    own, other = torch.fft.rfft2(images), torch.fft.rfft2(others)
    share = shares[:, None, None, None]
    amplitude = (1 - share) * own.abs() + share * other.abs()
    found: Tensor = torch.fft.irfft2(torch.polar(amplitude, own.angle()), s=images.shape[-2:])
    return found


def rising(step: int, length: float, final: float) -> float:
    """Return final * exp(-5 (1 - step / length)^2) during `length` steps, and `final` from then on."""
    progress = min(1.0, step / length) if length > 0 else 1.0
    return final * math.exp(-5 * (1 - progress) ** 2)
