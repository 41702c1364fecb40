"""DALE: alternating learning on stable and fuzzy regions (arXiv 2503.11140, Algorithm 1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as F
from mmengine.optim import OptimWrapper
from torch import Tensor, nn
from torch.utils.data import Dataset

from mmseg_ext.models.segmentors.dense_segmentor import IGNORE
from mmseg_ext.noise_robust.alignment import Alignment, PointSet
from mmseg_ext.noise_robust.confidence import Confidence, over_units
from mmseg_ext.noise_robust.look_ahead import LookAhead, exact, finite_difference, learning_rates, untouched
from mmseg_ext.noise_robust.paradigm import PlainTraining
from mmseg_ext.noise_robust.region_split import Regions, RegionSplit
from mmseg_ext.noise_robust.requirements import require_full_precision, require_single_steps
from mmseg_ext.noise_robust.weighting import averaged, on_device, total_loss
from mmseg_ext.registry import PARADIGMS
from mmseg_ext.suite.errors import InputError

WHERE = "training paradigm"


@PARADIGMS.register_module()
class DaleTraining(PlainTraining):
    """Two optimiser steps an iteration: on the stable part of a batch, then on its fuzzy part.

    1. Divide the batch (`region_split`).
    2. Step on the stable part with the network's own loss L.
    3. From there look `look_ahead` steps ahead on the fuzzy part, weighted by the label confidences omega, and move
       omega to where the loss on the stable part falls (`look_ahead`, `confidence`).
    4. Step on the fuzzy part with omega (L + alpha L_W); L_W aligns its features with the stable ones (`alignment`).

    The learning rate moves once an iteration. Nothing of it is left at prediction. The whole image is fed and the
    weights enter the loss, L = sum(m l) / sum(m); in Dice terms they enter both sums. A batch without a fuzzy part
    makes the stable step only, and the reverse. With `split=None` this is `PlainTraining`.

    Args:
        split: Arguments of `RegionSplit`; None trains plainly.
        confidence: Arguments of `Confidence`; None leaves omega at 1.
        alignment: Arguments of `Alignment`; None leaves out L_W.
        look_ahead: K, steps of the look-ahead.
        gradient: Of omega: `finite_difference`, or `exact` by double backward.
        mask_input: Whether the image is faded as well, as the paper draws it (inferred to be a drawing only).
        fresh_features: Whether the stable features are taken after the stable step, by a further forward pass, instead
            of during it (the figures say the one, Algorithm 1 the other).
        seed: Seed of the points and perturbations of L_W and of random patches.

    Raises:
        InputError: For a setting that cannot be.
    """

    def __init__(
        self,
        split: Mapping[str, Any] | None = None,
        confidence: Mapping[str, Any] | None = None,
        alignment: Mapping[str, Any] | None = None,
        look_ahead: int = 1,
        gradient: str = "finite_difference",
        mask_input: bool = False,
        fresh_features: bool = False,
        seed: int = 0,
    ) -> None:
        if split is None and not (confidence is None and alignment is None):
            raise InputError(WHERE, "split", None, "a split, without which nothing is stable or fuzzy")
        if look_ahead < 1:
            hint = "`confidence=None` leaves the look-ahead out."
            raise InputError(WHERE, "look_ahead", look_ahead, "at least one step", hint)
        if gradient not in ("finite_difference", "exact"):
            raise InputError(WHERE, "gradient", gradient, "finite_difference or exact")
        self.split = None if split is None else RegionSplit(**split)
        self.confidence = None if confidence is None else Confidence(**confidence)
        self.alignment = None if alignment is None else Alignment(**alignment)
        self.steps = look_ahead
        self.derivative = finite_difference if gradient == "finite_difference" else exact
        self.mask_input = mask_input
        self.fresh_features = fresh_features
        self.random = torch.Generator().manual_seed(seed)

    def start(self, model: nn.Module, dataset: Dataset, max_iters: int) -> None:
        """Make room for the confidences."""
        if self.split is None:
            return
        patch = self.split.patch(*dataset.size)
        if self.confidence is not None:
            self.confidence.start(len(dataset), dataset.size, patch, next(model.parameters()).device)

    def step(self, model: nn.Module, batch: dict[str, Any], optim_wrapper: OptimWrapper) -> dict[str, Tensor]:
        """Make the two steps of an iteration; also returned are the means of what drives them."""
        if self.split is None:
            return super().step(model, batch, optim_wrapper)
        require_full_precision(optim_wrapper)
        require_single_steps(optim_wrapper)
        part = _Batch(model, batch, self.split, self.random, self.mask_input)
        features, outputs = self._stable_step(model, part, optim_wrapper)
        if part.has_fuzzy:
            omega = self._confidences(model, batch, part, optim_wrapper)
            outputs |= self._fuzzy_step(model, part, omega, features, optim_wrapper)
        losses = [outputs[name] for name in ("stable_loss", "fuzzy_loss") if name in outputs]
        fuzzy_share = part.regions.fuzzy.mean()
        # A batch without any valid label makes no step.
        loss = torch.stack(losses).mean() if losses else torch.zeros_like(fuzzy_share)
        return {"loss": loss, "fuzzy_share": fuzzy_share, **outputs}

    def _stable_step(
        self, model: nn.Module, part: _Batch, optim_wrapper: OptimWrapper
    ) -> tuple[Tensor | None, dict[str, Tensor]]:
        if not part.has_stable:
            return None, {}
        logits, features = _logits(model, part.stable_inputs, self.alignment is not None)
        loss = total_loss(model, logits, part.labels, part.stable_weight)
        optim_wrapper.update_params(loss)
        if self.alignment is not None and self.fresh_features:
            with torch.no_grad(), untouched(model):
                features = model.features(part.stable_inputs)
        return features, {"stable_loss": loss.detach()}

    def _confidences(
        self, model: nn.Module, batch: dict[str, Any], part: _Batch, optim_wrapper: OptimWrapper
    ) -> Tensor:
        """Return omega (N, H, W) of every pixel after the look-ahead."""
        if self.confidence is None or not part.has_stable:
            return torch.ones_like(part.regions.fuzzy)
        items = batch["item"].to(part.labels.device)
        places = self.confidence.places(batch, part.labels.device)
        look = LookAhead(model, learning_rates(model, optim_wrapper.param_groups))

        def fuzzy_loss(logits: list[Tensor], omega: Tensor) -> Tensor:
            return total_loss(model, logits, part.labels, part.fuzzy_weight * over_units(omega, places))

        def stable_loss(logits: list[Tensor]) -> Tensor:
            return total_loss(model, logits, part.labels, part.stable_weight)

        omega, weights = self.confidence.first(items), look.start
        for _ in range(self.steps):
            slope, weights = self.derivative(
                look, weights, omega, (part.fuzzy_inputs, fuzzy_loss), (part.stable_inputs, stable_loss)
            )
            omega = self.confidence.step(omega, slope)
        self.confidence.keep(items, omega)
        return over_units(omega, places)

    def _fuzzy_step(
        self, model: nn.Module, part: _Batch, omega: Tensor, stable: Tensor | None, optim_wrapper: OptimWrapper
    ) -> dict[str, Tensor]:
        aligned = self.alignment is not None and stable is not None
        logits, features = _logits(model, part.fuzzy_inputs, aligned)
        loss = total_loss(model, logits, part.labels, part.fuzzy_weight * omega)
        mean_omega = (part.regions.fuzzy * omega).sum() / part.regions.fuzzy.sum()
        outputs = {"confidence": mean_omega}
        if aligned:
            valid = part.labels != IGNORE
            predictions = F.interpolate(logits[0], size=part.labels.shape[-2:], mode="bilinear").argmax(1)
            distance = self.alignment(
                PointSet(stable, part.labels, valid & ~part.regions.is_fuzzy),
                PointSet(features, part.labels, valid & part.regions.is_fuzzy, omega, predictions),
                self.random,
            )
            loss = loss + self.alignment.weight * mean_omega * distance
            outputs["alignment"] = distance.detach()
        optim_wrapper.update_params(loss)
        return {"fuzzy_loss": loss.detach(), **outputs}

    def maps(self, model: nn.Module, batch: dict[str, Any]) -> dict[str, Tensor]:
        """Return the fuzzy weight of every pixel and, where it is known for the image, the label confidence."""
        if self.split is None:
            return {}
        device = next(model.parameters()).device
        labels = batch["data_samples"].to(device)
        found = {"fuzzy": self.split(batch["inputs"].to(device), labels, self.random).fuzzy}
        if self.confidence is not None and "row" in batch:
            kept = self.confidence.kept[batch["item"].to(device)]
            found["confidence"] = over_units(kept, self.confidence.places(batch, device))
        return found

    def state_dict(self) -> dict[str, Any]:
        """Return confidences, stable moments and the state of the random numbers."""
        return {
            "random": self.random.get_state(),
            "confidence": {} if self.confidence is None or self.split is None else self.confidence.state_dict(),
            "alignment": {} if self.alignment is None else self.alignment.state_dict(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` returned."""
        self.random.set_state(state["random"])
        if self.confidence is not None:
            self.confidence.load_state_dict(state["confidence"])
        if self.alignment is not None:
            self.alignment.load_state_dict(state["alignment"])


class _Batch:
    """A batch on the device, divided, with the inputs and the loss weights of either part."""

    def __init__(
        self, model: nn.Module, batch: dict[str, Any], split: RegionSplit, random: torch.Generator, mask_input: bool
    ) -> None:
        inputs, self.labels = on_device(model, batch)
        images = batch["inputs"].to(inputs.device)
        self.regions: Regions = split(images, self.labels, random)
        self.stable_inputs = self.fuzzy_inputs = inputs
        if mask_input:
            self.stable_inputs, self.fuzzy_inputs = (
                on_device(model, {**batch, "inputs": images * weight[:, None]})[0]
                for weight in (self.regions.stable, self.regions.fuzzy)
            )
        self.stable_weight, self.fuzzy_weight = (averaged(one, self.labels) for one in self.regions[:2])

    @property
    def has_stable(self) -> bool:
        """Whether any labelled pixel is stable."""
        return bool(self.stable_weight.any())

    @property
    def has_fuzzy(self) -> bool:
        """Whether any labelled pixel is fuzzy."""
        return bool(self.fuzzy_weight.any())


def _logits(model: nn.Module, inputs: Tensor, features: bool) -> tuple[list[Tensor], Tensor | None]:
    if features:
        return model.logits_and_features(inputs)
    return model.dense_logits(inputs), None
