"""DALE's division of a batch into a stable and a fuzzy part (arXiv 2503.11140, Eqs. 3-7, figure "framework" B).

A patch is fuzzy where its image is disordered (AE, mean entropy) or its label has many edge pixels (ER, edge ratio);
both are data, not predictions. With s = max(AE, ER), each normalised per image, and the threshold tau,

    s >= tau: fuzzy weight 1, stable weight 1 - s        s < tau: stable weight 1, fuzzy weight s.

Equations and patch size come from figures; entropy bins, normalisation and the rule at the threshold are inferred.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from mmseg_ext.models.segmentors.dense_segmentor import IGNORE
from mmseg_ext.noise_robust.patches import over_pixels, patch_means
from mmseg_ext.suite.errors import InputError

SCORES = ("entropy", "edges", "random")
WHERE = "training paradigm"


class Regions(NamedTuple):
    """Weight (N, H, W) of every pixel in the two parts of a batch, and which pixels are counted as fuzzy points."""

    stable: Tensor
    fuzzy: Tensor
    is_fuzzy: Tensor
    """Whether s reaches the threshold."""


class RegionSplit:
    """Divide images and labels into stable and fuzzy patches.

    Args:
        scores: Which of `entropy` (AE) and `edges` (ER) count; `random` alone is the control that looks at nothing.
        tau: Threshold, between 0 and 1.
        quantile: Whether tau is the quantile of the scores of an image instead of a value (unclear in the paper).
        patch: Side of a patch in pixels.
        patch_share: Side of a patch as a share of the input's shorter side, in place of `patch`.
        hard: Whether the losing side of a patch has weight 0 (control).
        bins: Grey levels of the histogram behind the entropy.

    Raises:
        InputError: For a threshold outside (0, 1), an unknown score, a patch without pixels or a single grey level.
    """

    def __init__(
        self,
        scores: Sequence[str] = ("entropy", "edges"),
        tau: float = 0.9,
        quantile: bool = False,
        patch: int = 16,
        patch_share: float | None = None,
        hard: bool = False,
        bins: int = 32,
    ) -> None:
        if not 0 < tau < 1:
            raise InputError(WHERE, "tau", tau, "a threshold between 0 and 1")
        if not scores or not set(scores) <= set(SCORES) or ("random" in scores and len(scores) > 1):
            raise InputError(WHERE, "scores", list(scores), f"entropy, edges or both, or random alone of {SCORES}")
        if patch < 1 or (patch_share is not None and not 0 < patch_share <= 1):
            raise InputError(WHERE, "patch", patch_share or patch, "at least one pixel, or a share of at most 1")
        if bins < 2:
            raise InputError(WHERE, "bins", bins, "at least two grey levels, without which nothing is disordered")
        self.scores, self.tau, self.quantile, self.hard, self.bins = tuple(scores), tau, quantile, hard, bins
        self._patch, self._share = patch, patch_share

    def patch(self, height: int, width: int) -> int:
        """Return the side of a patch for an input size.

        Raises:
            InputError: If a patch is larger than the input.
        """
        size = self._patch if self._share is None else max(1, round(self._share * min(height, width)))
        if size > min(height, width):
            raise InputError(WHERE, "patch", size, f"at most the input's shorter side, {min(height, width)} pixels")
        return size

    def __call__(self, images: Tensor, labels: Tensor, random: torch.Generator | None = None) -> Regions:
        """Divide a batch.

        Args:
            images: (N, C, H, W) in about [0, 1], not standardised.
            labels: (N, H, W) class ids; `IGNORE` makes no edge.
            random: Source of the scores `random`, on the CPU.
        """
        height, width = labels.shape[-2:]
        size = self.patch(height, width)
        score = self._score(images, labels, size, random)
        tau = score.flatten(1).quantile(self.tau, dim=1)[:, None, None] if self.quantile else self.tau
        above = score >= tau
        if self.hard:
            stable, fuzzy = (~above).to(score.dtype), above.to(score.dtype)
        else:
            stable = torch.where(above, 1 - score, torch.ones_like(score))
            fuzzy = torch.where(above, torch.ones_like(score), score)
        return Regions(*(over_pixels(part, size, height, width) for part in (stable, fuzzy, above)))

    def _score(self, images: Tensor, labels: Tensor, size: int, random: torch.Generator | None) -> Tensor:
        parts = []
        if "entropy" in self.scores:
            parts.append(scaled_to_unit(mean_entropy(images, size, self.bins)))
        if "edges" in self.scores:
            ratio = patch_means(edges(labels).to(images.dtype), size)
            parts.append(ratio / ratio.amax((1, 2), keepdim=True).clamp(min=torch.finfo(ratio.dtype).tiny))
        if "random" in self.scores:
            rows, columns = -(-labels.shape[-2] // size), -(-labels.shape[-1] // size)
            drawn = torch.rand(len(labels), rows, columns, generator=random)
            parts.append(drawn.to(images))
        return torch.stack(parts).amax(0)


def mean_entropy(images: Tensor, size: int, bins: int) -> Tensor:
    """Return the Shannon entropy (N, h, w), in bits, of the grey levels in every patch, averaged over channels."""
    levels = (images.detach().clamp(0, 1) * bins).long().clamp(max=bins - 1)
    entropy = images.new_zeros(())
    for level in range(bins):
        share = torch.stack([patch_means((channel == level).to(images.dtype), size) for channel in levels.unbind(1)])
        entropy = entropy - torch.special.xlogy(share, share).mean(0)
    return entropy / torch.log(torch.tensor(2.0))


def edges(labels: Tensor) -> Tensor:
    """Return where (N, H, W) the 3 x 3 neighbourhood of a labelled pixel holds more than one class."""
    ignored = labels == IGNORE
    values = labels.float()[:, None]
    high = F.max_pool2d(values.masked_fill(ignored[:, None], -1.0), 3, 1, 1)
    low = -F.max_pool2d(-values.masked_fill(ignored[:, None], float(IGNORE)), 3, 1, 1)
    return (high > low)[:, 0] & ~ignored


def scaled_to_unit(score: Tensor) -> Tensor:
    """Return scores (N, h, w) scaled to 0 to 1 in every image; 0 where an image has one value only."""
    low, high = score.amin((1, 2), keepdim=True), score.amax((1, 2), keepdim=True)
    span = high - low
    return torch.where(span > 1e-6, (score - low) / span.clamp(min=1e-6), torch.zeros_like(score))
