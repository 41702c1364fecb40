"""Regions of an image from dense features: multi-scale k-means and fusion of alike clusters.

Split Matching (arXiv 2505.05023): seeds are means over windows of several sizes, moved by half a window. The fusion
rule is that of the authors' earlier work; everything else is inferred, see `mmseg_ext.suite.clip_card.RegionSetting`.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from mmseg_ext.suite.clip_card import RegionSetting


def divide(features: Tensor, size: tuple[int, int], setting: RegionSetting) -> Tensor:
    """Return a partition of an image.

    Args:
        features: (D, h, w) dense features of unit length.
        size: Height and width of the image in pixels.
        setting: How to divide.

    Returns:
        (height, width) int64 region ids from 1 on, without gaps, largest region first.
    """
    if setting.centre:
        features = F.normalize(features - features.mean((1, 2), keepdim=True), dim=0)
    tokens = features.flatten(1).T
    centres = fuse(*k_means(tokens, seeds(features, setting.windows), setting.iterations), setting.merge)
    likeness = (centres @ tokens.T).unflatten(1, features.shape[1:])
    likeness = F.interpolate(likeness[None], size, mode="bilinear", align_corners=False)[0]
    return _without_small(likeness, setting.least_share, setting.most)


def seeds(features: Tensor, windows: Sequence[int]) -> Tensor:
    """Return the mean of every window, (G, D), of unit length.

    G(i, j) = 1 / s² sum of O over the s x s window at (i, j), for i and j in 0, ⌊s/2⌋, … while the window is inside.

    Args:
        features: (D, h, w).
        windows: Sides s of the windows in tokens; what is larger than the image is cut to it.
    """
    found = []
    for side in windows:
        kernel = [min(side, length) for length in features.shape[1:]]
        means = F.avg_pool2d(features[None], kernel, stride=max(1, side // 2))[0]
        found.append(means.flatten(1).T)
    return F.normalize(torch.cat(found), dim=1)


def k_means(tokens: Tensor, centres: Tensor, iterations: int) -> tuple[Tensor, Tensor]:
    """Return centres (K, D) of unit length and the number of tokens of each; empty clusters are dropped.

    Args:
        tokens: (T, D) of unit length; likeness is the cosine.
        centres: (G, D) where to start, of unit length.
        iterations: How often tokens are assigned and centres moved.
    """
    for _ in range(iterations):
        member = F.one_hot((tokens @ centres.T).argmax(1), len(centres)).to(tokens.dtype)
        counts = member.sum(0)
        kept = counts > 0
        centres, counts = F.normalize(member.T @ tokens, dim=1)[kept], counts[kept]
    return centres, counts


def fuse(centres: Tensor, counts: Tensor, least: float) -> Tensor:
    """Return fused centres (U, D) of unit length: the largest cluster left takes all alike, until none is left.

    Args:
        centres: (K, D) of unit length.
        counts: (K,) tokens of each, by which a fused centre is weighed.
        least: Cosine from which on two are alike.
    """
    alike = centres @ centres.T >= least
    free = torch.ones(len(centres), dtype=torch.bool, device=centres.device)
    fused = []
    for first in counts.argsort(descending=True, stable=True).tolist():
        if free[first]:
            group = free & alike[first]
            group[first] = True
            fused.append((centres[group] * counts[group, None]).sum(0))
            free &= ~group
    return F.normalize(torch.stack(fused), dim=1)


def _without_small(likeness: Tensor, least_share: float, most: int) -> Tensor:
    """Return ids by size of the most alike centre of each pixel, after dropping centres with too few pixels."""
    counts = likeness.argmax(0).flatten().bincount(minlength=len(likeness))
    order = counts.argsort(descending=True, stable=True)
    enough = counts[order] >= max(1, least_share * likeness[0].numel())
    enough[0] = True
    kept = order[enough][:most]
    ids = likeness[kept].argmax(0)
    present, renumbered = ids.unique(return_inverse=True)
    by_size = renumbered.flatten().bincount(minlength=len(present)).argsort(descending=True, stable=True)
    return by_size.argsort()[renumbered] + 1
