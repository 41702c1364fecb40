"""ADELE: labels corrected once a class has been learnt, and predictions that agree over scales."""

from __future__ import annotations

import copy
from collections.abc import Collection, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from mmengine.optim import OptimWrapper
from torch import Tensor, nn
from torch.utils.data import Dataset

from mmseg_ext.models.segmentors.dense_segmentor import IGNORE
from mmseg_ext.noise_robust.early_learning import has_slowed
from mmseg_ext.noise_robust.paradigm import PlainTraining
from mmseg_ext.noise_robust.weighting import on_device, total_loss
from mmseg_ext.registry import PARADIGMS
from mmseg_ext.suite.errors import InputError

WHERE = "training paradigm"
LEAST_SHARE = 1e-3
"""Probabilities of the mixture are clamped to [LEAST_SHARE, 1 - LEAST_SHARE], as in the released code."""


@PARADIGMS.register_module()
class ADELE(PlainTraining):
    """Adaptive early-learning correction (Liu et al., CVPR 2022, arXiv 2110.03740).

    Known from paper and released code: a network learns before it memorises, each class at its own time. The IoU of a
    class on the training labels is fitted after every epoch by f(t) = a (1 - exp(-b t^c)); once the slope has fallen by
    `slowed`, the class's labels are replaced where the network as it was then is confident (`corrected`). Besides, the
    image is seen at three scales with probabilities p_i and learnt weights w_i that sum to 1: the network's own loss
    takes w_i times the logits of scale i, and sum_i KL(p_i || sum_j w_j p_j) is averaged over the pixels of images
    whose mixture is confident somewhere.

    Ours or inferred: an epoch's IoU is that of its own training predictions, at scale 1, not of a further pass; a copy
    of the network corrects each augmented batch, in place of stored maps of corrected labels; the losses of the scales
    are averaged; w learns by plain gradient steps at the network's rate; a class must be `learnt` before it is
    corrected, since a flat beginning looks like an end; no early points of a curve are dropped. The network predicts
    at scale 1, so that prediction costs the same as plainly trained.

    Args:
        scales: Sides of the further views as shares of the input's.
        slowed: r, share by which the slope has fallen when the labels of a class are corrected.
        threshold: Probability above which a prediction replaces a label.
        background_threshold: The same where background is predicted; a function of the released code has 0.95.
        consistency: Factor of the consistency term [inferred].
        confident: Least largest probability of an image's mixture for the term to count.
        learnt: Least IoU of a class that is corrected [ours].
        interval: Share of the iterations from one point of a curve to the next, in place of an epoch: for trainings of
            so few epochs that a curve would have no points [ours].

    Raises:
        InputError: For a value that cannot be.
    """

    def __init__(
        self,
        scales: Sequence[float] = (0.7, 1.5),
        slowed: float = 0.9,
        threshold: float = 0.8,
        background_threshold: float = 0.8,
        consistency: float = 1.0,
        confident: float = 0.8,
        learnt: float = 0.5,
        interval: float | None = None,
    ) -> None:
        if not scales or not all(scale > 0 for scale in scales):
            raise InputError(WHERE, "scales", list(scales), "at least one factor larger than 0")
        if consistency < 0:
            raise InputError(WHERE, "consistency", consistency, "a factor of at least 0")
        if interval is not None and not 0 < interval <= 1:
            raise InputError(WHERE, "interval", interval, "a share of the iterations above 0 and up to 1")
        shares = {
            "slowed": slowed,
            "threshold": threshold,
            "background_threshold": background_threshold,
            "confident": confident,
            "learnt": learnt,
        }
        for name, value in shares.items():
            if not 0 < value < 1:
                raise InputError(WHERE, name, value, "a share between 0 and 1")
        self.scales, self.slowed, self.consistency = tuple(scales), slowed, consistency
        self.thresholds = (background_threshold, threshold)
        self.confident, self.learnt, self.interval = confident, learnt, interval

    def start(self, model: nn.Module, dataset: Dataset, max_iters: int) -> None:
        """Begin with equal weights of the scales and no class corrected."""
        device = next(model.parameters()).device
        self.length = len(dataset) if self.interval is None else max(1, round(self.interval * max_iters))
        self.seen = 0
        """Samples of the present epoch so far; with `interval`, iterations."""
        self.counts = torch.zeros(2, model.num_classes, dtype=torch.long, device=device)
        """Pixels in the intersection and in the union of labels and predictions of the present epoch, by class."""
        self.curves: list[list[float]] = [[] for _ in range(model.num_classes)]
        """IoU after each epoch, by class."""
        self.corrections: list[tuple[list[int], nn.Module]] = []
        """Classes that may be corrected, and the network that does so, in the order in which they were found."""
        self.balance = torch.zeros(1 + len(self.scales), device=device)
        """Logarithms of the weights of the scales, up to a constant; scale 1 first."""
        self._like = _frozen(model)

    def step(self, model: nn.Module, batch: dict[str, Any], optim_wrapper: OptimWrapper) -> dict[str, Tensor]:
        """Make one step; also returned are the consistency term and the share of pixels whose label was replaced."""
        inputs, given = on_device(model, batch)
        labels = self._corrected(inputs, given)
        balance = self.balance.clone().requires_grad_()
        with optim_wrapper.optim_context(model):
            views = [model.dense_logits(inputs), *(model.dense_logits(_scaled(inputs, one)) for one in self.scales)]
            weights = balance.softmax(0)
            full = [F.interpolate(one[0].float(), size=labels.shape[-2:], mode="bilinear") for one in views]
            disagreement = inconsistency(full, weights, self.confident, labels != IGNORE)
            supervised = [
                total_loss(model, [weight * one for one in logits], labels)
                for weight, logits in zip(weights, views, strict=True)
            ]
            loss = torch.stack(supervised).mean() + self.consistency * disagreement
        (slope,) = torch.autograd.grad(loss, balance, retain_graph=True)
        optim_wrapper.update_params(loss)
        self.balance -= optim_wrapper.param_groups[-1]["lr"] * slope
        self._count(full[0].argmax(1), given)
        if self.seen >= self.length:
            self._end_epoch(model)
        return {
            "loss": loss.detach(),
            "inconsistency": disagreement.detach(),
            "corrected": (labels != given).float().mean(),
        }

    def _corrected(self, inputs: Tensor, labels: Tensor) -> Tensor:
        for classes, network in self.corrections:
            with torch.no_grad():
                probabilities = network.encode_decode(inputs).softmax(1)
            labels = corrected(labels, probabilities, classes, *self.thresholds)
        return labels

    def _count(self, predicted: Tensor, labels: Tensor) -> None:
        valid = labels != IGNORE
        for label in range(len(self.curves)):
            one, other = (predicted == label) & valid, labels == label
            self.counts[0, label] += (one & other).sum()
            self.counts[1, label] += (one | other).sum()
        self.seen += len(labels) if self.interval is None else 1

    def _end_epoch(self, model: nn.Module) -> None:
        ious = self.counts[0] / self.counts[1]  # 0 / 0 is NaN: nothing to be seen of the class
        for curve, value in zip(self.curves, ious.tolist(), strict=True):
            curve.append(value)
        self.counts.zero_()
        self.seen -= self.length
        before = self.corrections[-1][0] if self.corrections else []
        found = [
            label
            for label in range(1, len(self.curves))
            if label not in before and has_slowed(self.curves[label], self.slowed, self.learnt)
        ]
        if found:
            self.corrections.append(([*before, *found], _frozen(model)))

    def state_dict(self) -> dict[str, Any]:
        """Return curves, the present epoch's counts, the weights of the scales and the networks that correct."""
        corrections = [{"classes": classes, "network": network.state_dict()} for classes, network in self.corrections]
        return {
            "seen": self.seen,
            "counts": self.counts,
            "curves": self.curves,
            "balance": self.balance,
            "corrections": corrections,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` returned."""
        self.seen = state["seen"]
        self.counts.copy_(state["counts"])
        self.curves = [list(curve) for curve in state["curves"]]
        self.balance.copy_(state["balance"])
        self.corrections = []
        for saved in state["corrections"]:
            network = copy.deepcopy(self._like)
            network.load_state_dict(saved["network"])
            self.corrections.append((list(saved["classes"]), network))


def corrected(
    labels: Tensor, probabilities: Tensor, classes: Collection[int], background_threshold: float, threshold: float
) -> Tensor:
    """Return labels (N, H, W), replaced by the predicted class where that is confident and allowed.

    Both the old and the new label are background or one of `classes`, and a foreground class that is predicted has to
    occur in the image's labels. Ignored pixels stay.

    Args:
        labels: (N, H, W) class ids.
        probabilities: (N, K, H, W).
        classes: Foreground classes that may be corrected.
        background_threshold: Probability that background has to exceed.
        threshold: Probability that a foreground class has to exceed.
    """
    probability, predicted = probabilities.max(1)
    allowed = torch.tensor([0, *classes], device=labels.device)
    occurs = torch.stack([(labels == label).flatten(1).any(1) for label in range(probabilities.shape[1])], dim=1)
    occurs[:, 0] = True
    known = occurs.gather(1, predicted.flatten(1)).view(predicted.shape)
    least = torch.where(predicted == 0, background_threshold, threshold)
    replaced = torch.isin(labels, allowed) & torch.isin(predicted, allowed) & known & (probability > least)
    return torch.where(replaced, predicted, labels)


def inconsistency(logits: Sequence[Tensor], weights: Tensor, confident: float, valid: Tensor) -> Tensor:
    """Return sum_i KL(p_i || M) with M = sum_i w_i p_i, averaged over the valid pixels of confident images.

    Args:
        logits: (N, K, H, W) of each scale.
        weights: (scales,) w, which sum to 1.
        confident: Least largest entry of M for an image to count; 0 is returned if there is none.
        valid: (N, H, W) whether a pixel counts.
    """
    logarithms = torch.stack([one.log_softmax(1) for one in logits])
    probabilities = logarithms.exp()
    mixture = (weights.view(-1, 1, 1, 1, 1) * probabilities).sum(0).clamp(LEAST_SHARE, 1 - LEAST_SHARE)
    divergence = (probabilities * (logarithms - mixture.log())).sum(2).sum(0)
    counted = valid & (mixture.flatten(1).amax(1) >= confident)[:, None, None]
    return (divergence * counted).sum() / counted.sum().clamp(min=1)


def _frozen(model: nn.Module) -> nn.Module:
    return copy.deepcopy(model).eval().requires_grad_(False)


def _scaled(inputs: Tensor, scale: float) -> Tensor:
    size = [max(1, round(scale * side)) for side in inputs.shape[-2:]]
    return F.interpolate(inputs, size=size, mode="bilinear")
