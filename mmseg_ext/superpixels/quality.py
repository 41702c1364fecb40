"""How well superpixels keep to the borders of labelled classes."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from mmseg_ext.data.prepared import IGNORED

TOLERANCE = 2
"""Pixels from a border of the truth within which one of a map counts as found (Neubert and Protzel 2012)."""
DIAGONAL_SHARE = 0.0025
"""The same as a share of the image's diagonal (Stutz et al. 2018); the larger of the two is used."""


@dataclass(frozen=True)
class MapQuality:
    """The figures of one map; the last three are None where the labels hold one class only."""

    segments: int
    boundary_recall: float | None
    """Share of the truth's border pixels with a border pixel of the map no more rows and columns away than `tolerance`
    (Stutz et al., CVIU 166, 2018)."""
    undersegmentation_error: float | None
    """Sum over all pairs of a class and a superpixel that touches it of the smaller of the superpixel's parts inside
    and outside of the class, over all pixels (Neubert and Protzel, Forum Bildverarbeitung 2012)."""
    achievable_accuracy: float | None
    """Share of pixels that are right if every superpixel gets the class of most of its pixels, the achievable
    segmentation accuracy (Liu et al., CVPR 2011)."""


def tolerance(height: int, width: int) -> int:
    """Return the tolerance of the boundary recall in pixels: two, more on images of over 700 pixels a side."""
    return max(TOLERANCE, round(DIAGONAL_SHARE * math.hypot(height, width)))


def map_quality(ids: np.ndarray, labels: np.ndarray) -> MapQuality:
    """Measure a superpixel map against class labels.

    Pixels labelled IGNORED count nowhere, and neither do borders of a class with them. A class is one segment of the
    truth however many pieces it has.

    Args:
        ids: (H, W) superpixel ids, 1 or larger.
        labels: (H, W) class ids.
    """
    segments = len(np.unique(ids))
    known = labels != IGNORED
    classes, truth = np.unique(labels[known], return_inverse=True)
    if len(classes) < 2:
        return MapQuality(segments, None, None, None)
    joint = ids[known].astype(np.int64) * len(classes) + truth
    shared = np.bincount(joint, minlength=(int(ids.max()) + 1) * len(classes)).reshape(-1, len(classes))
    sizes = shared.sum(axis=1, keepdims=True)
    border = borders(labels, known)
    width = 2 * tolerance(*ids.shape) + 1
    kernel = np.ones((width, width), np.uint8)
    reached = cv2.dilate(borders(ids, np.ones_like(known)).astype(np.uint8), kernel) > 0
    return MapQuality(
        segments,
        # Two classes that touch nowhere but across ignored pixels have no border to find.
        float(reached[border].mean()) if border.any() else None,
        float(np.where(shared > 0, np.minimum(shared, sizes - shared), 0).sum() / sizes.sum()),
        float(shared.max(axis=1).sum() / sizes.sum()),
    )


def borders(labels: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Return which pixels (H, W) differ from a pixel beside, above or below, both of them being `known`."""
    found = np.zeros(labels.shape, bool)
    first, second, every = slice(None, -1), slice(1, None), slice(None)
    for one, other in (((first, every), (second, every)), ((every, first), (every, second))):
        differs = (labels[one] != labels[other]) & known[one] & known[other]
        found[one] |= differs
        found[other] |= differs
    return found
