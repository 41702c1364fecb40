"""What reweighting by a trusted set shares: patches with a loss each, judged on DALE's stable part of the batch."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

import torch
from mmengine.optim import OptimWrapper
from torch import Tensor, nn
from torch.utils.data import Dataset

from mmseg_ext.models.segmentors.dense_segmentor import IGNORE
from mmseg_ext.noise_robust.look_ahead import LookAhead, finite_difference, learning_rates
from mmseg_ext.noise_robust.paradigm import PlainTraining
from mmseg_ext.noise_robust.patches import over_pixels, patch_means
from mmseg_ext.noise_robust.region_split import RegionSplit
from mmseg_ext.noise_robust.requirements import require_full_precision
from mmseg_ext.noise_robust.weighting import averaged, on_device, total_loss


class Reweighting(PlainTraining):
    """Weigh every patch by what a step on it would do to a trusted loss, then make one step with these weights.

    Both methods want a clean set, which is not there; DALE's stable part of the same batch stands in for it [ours]. The
    weights follow from the cross-entropy; the step takes the network's own loss with weighted pixels.

    Args:
        split: Arguments of `RegionSplit`; its patches are the units that get a weight.
    """

    def __init__(self, split: Mapping[str, Any] | None = None) -> None:
        self.split = RegionSplit(**(split or {}))

    def start(self, model: nn.Module, dataset: Dataset, max_iters: int) -> None:
        """Find the size of a patch."""
        self.patch = self.split.patch(*dataset.size)

    def step(self, model: nn.Module, batch: dict[str, Any], optim_wrapper: OptimWrapper) -> dict[str, Tensor]:
        """Find the weights and make one step, which is left out if all are 0.

        Raises:
            InputError: For mixed precision.
        """
        require_full_precision(optim_wrapper)
        inputs, labels = on_device(model, batch)
        stable = averaged(self.split(batch["inputs"].to(inputs.device), labels).stable, labels)
        look = LookAhead(model, learning_rates(model, optim_wrapper.param_groups))

        def patch_losses(logits: list[Tensor]) -> Tensor:
            return patch_means(model.pixel_loss(logits[0], labels), self.patch)

        def trusted(logits: list[Tensor]) -> Tensor:
            return (model.pixel_loss(logits[0], labels) * stable).mean()

        def slope(weights: Tensor, scale: float) -> Tensor:
            """Derivative of the trusted loss by the weights (N, h, w), after a step on scale * sum(w l)."""
            fuzzy = (inputs, lambda logits, one: scale * (one * patch_losses(logits)).sum())
            return finite_difference(look, look.start, weights, fuzzy, (inputs, trusted))[0]

        with torch.no_grad():
            losses = patch_losses(look.logits(look.start, inputs))
        weights = self.weights(losses, slope)
        spread = over_pixels(weights, self.patch, *labels.shape[-2:])
        loss = total_loss(model, model.dense_logits(inputs), labels, averaged(spread, labels))
        if bool((spread * (labels != IGNORE)).any()):
            optim_wrapper.update_params(loss)
        return {"loss": loss.detach(), "mean_weight": weights.mean()}

    @abstractmethod
    def weights(self, losses: Tensor, slope: Any) -> Tensor:
        """Return the weight (N, h, w) of every patch.

        Args:
            losses: (N, h, w) mean cross-entropy of every patch.
            slope: Function of weights (N, h, w) and a factor of the weighted sum of losses; it returns the derivative
                of the trusted loss by the weights, one step ahead.
        """
