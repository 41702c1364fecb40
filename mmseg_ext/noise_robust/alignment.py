"""DALE's calibration of fuzzy features (arXiv 2503.11140, Eqs. 12-14, figure "unstable representation calibration").

Features before the last layer are taken class by class. Fuzzy points whose label looks wrong are dropped, the stable
ones give a Gaussian whose covariance is perturbed, and the squared 2-Wasserstein distance between the Gaussians pulls
the fuzzy features; no gradient reaches the stable ones. The figure names the steps; how points are dropped, how far the
covariance moves, the number of points and the diagonal form are inferred.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from mmseg_ext.suite.errors import InputError

WHERE = "training paradigm"
LEAST_POINTS = 32
"""Points of a class below which it is left out."""
RIDGE = 1e-4
"""Added to the diagonal of a covariance."""


class Alignment:
    """The loss L_W.

    Args:
        weight: alpha, its factor in the loss of the fuzzy step.
        points: Points of a class and set, at most; more are thinned at random.
        widest: Feature widths up to this have full covariances, larger ones diagonal ones.
        denoise: Which fuzzy points stay. `nearest`: those whose label is the class with the nearest stable mean, in
            units of its deviations; `confidence`: those with a label confidence of at least 0.5; `prediction`: those
            predicted as labelled; `none`: all.
        perturbation: Of the stable covariance. `scale`: times 1 + u, u from U(-0.1, 0.1); `constant`: plus 0.21 on
            the diagonal; `none`.
        memory: Share of the stable moments of the iteration before that is kept (0: none).
        per_width: Whether the distance is divided by the features' width, so that alpha does not depend on it.

    Raises:
        InputError: For an unknown option or a number out of its range.
    """

    def __init__(
        self,
        weight: float = 0.05,
        points: int = 1024,
        widest: int = 64,
        denoise: str = "nearest",
        perturbation: str = "scale",
        memory: float = 0.0,
        per_width: bool = True,
    ) -> None:
        for name, found, known in (
            ("denoise", denoise, ("nearest", "confidence", "prediction", "none")),
            ("perturbation", perturbation, ("scale", "constant", "none")),
        ):
            if found not in known:
                raise InputError(WHERE, f"alignment.{name}", found, f"one of {', '.join(known)}")
        if weight < 0:
            raise InputError(WHERE, "alignment.weight", weight, "a factor of at least 0")
        if points < LEAST_POINTS:
            raise InputError(
                WHERE, "alignment.points", points, f"at least {LEAST_POINTS}, below which a class is left out"
            )
        if not 0 <= memory < 1:
            raise InputError(WHERE, "alignment.memory", memory, "a share from 0 to below 1")
        self.weight, self.points, self.widest = weight, points, widest
        self.denoise, self.perturbation, self.memory, self.per_width = denoise, perturbation, memory, per_width
        self.kept: dict[int, tuple[Tensor, Tensor]] = {}
        """Mean and covariance of the stable features by class, with `memory`."""

    def __call__(self, stable: PointSet, fuzzy: PointSet, random: torch.Generator) -> Tensor:
        """Return the mean distance over the classes that both sets hold, 0 if there is none.

        Args:
            stable: Points of the stable set; no gradient reaches them.
            fuzzy: Points of the fuzzy set.
            random: Source of all random choices, on the CPU.
        """
        features = stable.features.detach()
        width = features.shape[1]
        least = max(LEAST_POINTS, width + 1 if width <= self.widest else 0)
        moments = {}
        for label in stable.labels.unique().tolist():
            chosen = self._thinned(torch.nonzero(stable.labels == label)[:, 0], random)
            if len(chosen) >= least:
                moments[label] = self._remembered(label, *self._moments(features[chosen]))
        kept = self._denoised(fuzzy, moments)
        distances = []
        for label, (mean, covariance) in moments.items():
            chosen = self._thinned(torch.nonzero(kept & (fuzzy.labels == label))[:, 0], random)
            if len(chosen) >= least:
                own = self._moments(fuzzy.features[chosen])
                distances.append(wasserstein(mean, self._perturbed(covariance, random), *own))
        if not distances:
            return fuzzy.features.sum() * 0
        distance = torch.stack(distances).mean() / (width if self.per_width else 1)
        return distance.to(fuzzy.features.dtype)

    def _thinned(self, chosen: Tensor, random: torch.Generator) -> Tensor:
        if len(chosen) <= self.points:
            return chosen
        return chosen[torch.randperm(len(chosen), generator=random)[: self.points].to(chosen.device)]

    def _moments(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean (D,) and covariance (D, D), or variances (D,), in double precision."""
        points = features.double()
        if features.shape[1] > self.widest:
            return points.mean(0), points.var(0) + RIDGE
        return points.mean(0), torch.cov(points.T) + RIDGE * torch.eye(features.shape[1]).to(points)

    def _remembered(self, label: int, mean: Tensor, covariance: Tensor) -> tuple[Tensor, Tensor]:
        if not self.memory:
            return mean, covariance
        if label in self.kept:
            old = self.kept[label]
            mean, covariance = (
                self.memory * before + (1 - self.memory) * now
                for before, now in zip(old, (mean, covariance), strict=True)
            )
        self.kept[label] = (mean, covariance)
        return mean, covariance

    def _perturbed(self, covariance: Tensor, random: torch.Generator) -> Tensor:
        if self.perturbation == "scale":
            return covariance * (0.9 + 0.2 * torch.rand((), generator=random).item())
        if self.perturbation == "constant":
            return covariance + 0.21 * (1 if covariance.ndim == 1 else torch.eye(len(covariance)).to(covariance))
        return covariance

    def _denoised(self, fuzzy: PointSet, moments: dict[int, tuple[Tensor, Tensor]]) -> Tensor:
        if self.denoise == "confidence":
            return fuzzy.confidence >= 0.5
        if self.denoise == "prediction":
            return fuzzy.predictions == fuzzy.labels
        if self.denoise == "none" or not moments:
            return torch.ones_like(fuzzy.labels, dtype=torch.bool)
        features = fuzzy.features.detach().double()
        distances = []
        for mean, covariance in moments.values():
            variance = covariance if covariance.ndim == 1 else covariance.diagonal()
            distances.append((((features - mean) ** 2) / variance).sum(1))
        nearest = torch.stack(distances, 1).argmin(1)
        return torch.tensor(list(moments)).to(fuzzy.labels)[nearest] == fuzzy.labels

    def state_dict(self) -> dict[str, list[Tensor]]:
        """Return the stable moments kept, by class."""
        return {str(label): list(moments) for label, moments in self.kept.items()}

    def load_state_dict(self, state: dict[str, list[Tensor]]) -> None:
        """Restore what `state_dict` returned."""
        self.kept = {int(label): (mean, covariance) for label, (mean, covariance) in state.items()}


class PointSet:
    """Features of chosen pixels.

    Args:
        features: (N, D, h, w).
        labels: (N, H, W) class ids, brought to the grid of the features by nearest neighbours.
        chosen: (N, H, W) which pixels belong to the set.
        confidence: (N, H, W) label confidence; 1 where not given.
        predictions: (N, H, W) predicted class ids; -1 where not given.
    """

    def __init__(
        self,
        features: Tensor,
        labels: Tensor,
        chosen: Tensor,
        confidence: Tensor | None = None,
        predictions: Tensor | None = None,
    ) -> None:
        size = features.shape[-2:]
        where = _to_grid(chosen.float(), size) > 0
        self.features = features.permute(0, 2, 3, 1)[where]
        """(P, D)"""
        self.labels = _to_grid(labels.float(), size).long()[where]
        self.confidence = _to_grid(torch.ones_like(labels).float() if confidence is None else confidence, size)[where]
        given = torch.full_like(labels, -1) if predictions is None else predictions
        self.predictions = _to_grid(given.float(), size).long()[where]


def _to_grid(values: Tensor, size: torch.Size) -> Tensor:
    return F.interpolate(values[:, None], size=tuple(size), mode="nearest")[:, 0]


def wasserstein(mean: Tensor, covariance: Tensor, other_mean: Tensor, other_covariance: Tensor) -> Tensor:
    """Return the squared 2-Wasserstein distance of two Gaussians.

    ||m_1 - m_2||^2 + tr(S_1 + S_2 - 2 (S_1^(1/2) S_2 S_1^(1/2))^(1/2)); for variances only, with deviations d,
    ||m_1 - m_2||^2 + ||d_1 - d_2||^2.

    Args:
        mean: (D,).
        covariance: (D, D), or variances (D,); gets no gradient.
        other_mean: (D,).
        other_covariance: As `covariance`, with gradient.
    """
    between = ((mean - other_mean) ** 2).sum()
    if covariance.ndim == 1:
        return between + ((covariance.sqrt() - other_covariance.sqrt()) ** 2).sum()
    values, vectors = torch.linalg.eigh(covariance.detach())
    root = (vectors * values.clamp(min=0).sqrt()) @ vectors.T
    product = root @ other_covariance @ root
    cross = torch.linalg.eigvalsh((product + product.T) / 2).clamp(min=1e-18).sqrt().sum()
    return between + covariance.trace() + other_covariance.trace() - 2 * cross
