"""Distances between the surfaces of two masks.

Boundary voxels are those that one face-connected erosion removes, with background beyond the array's edge.
Their distances to the boundary of the other mask, from both sides, give HD95 and ASSD. The normalised surface
distance (NSD) weighs surface elements (see `surface_elements`) by their size instead of counting voxels.

Sources: MedPy's `hd95` and `assd` for boundary distances; Nikolov et al., "Clinically Applicable
Segmentation of Head and Neck Anatomy for Radiotherapy", J. Med. Internet Res. 23 (2021), for the NSD.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mmseg_ext.evaluation.nearest import RELATIVE_PRECISION, nearest_distances
from mmseg_ext.evaluation.surface_elements import element_sizes, neighbourhood_codes


@dataclass(frozen=True)
class SurfaceMeasures:
    """How far two surfaces lie apart; distances in units of the spacing."""

    hd95: float
    """95th percentile of the boundary distances of both sides, pooled."""
    hd95_max: float
    """The larger of the 95th percentiles of the two sides."""
    assd: float
    """Mean of the boundary distances of both sides, pooled."""
    nsd: float
    """Share of both surfaces that lies within the tolerance of the other one."""


def surface_measures(
    truth: NDArray[np.bool_], prediction: NDArray[np.bool_], spacing: tuple[float, ...], tolerance: float
) -> SurfaceMeasures:
    """Compare the surfaces of two masks.

    Background around the masks changes no result, so callers may crop to the smallest box that holds both.

    Args:
        truth: Mask (H, W) or (slices, H, W) with at least one voxel.
        prediction: Mask of the same shape with at least one voxel.
        spacing: Distance between neighbours along every axis of the masks.
        tolerance: Distance within which surfaces count as equal for the NSD, in units of the spacing.

    Raises:
        ValueError: If shapes or spacing do not fit each other, or a mask is empty.
    """
    if truth.shape != prediction.shape or truth.ndim != len(spacing) or truth.ndim not in (2, 3):
        shapes = f"{truth.shape}, {prediction.shape} and {len(spacing)} spacings"
        raise ValueError(f"found masks of shape {shapes}, expected two masks of one 2-D or 3-D shape")
    if not truth.any() or not prediction.any():
        raise ValueError("found an empty mask, expected two masks with at least one voxel")
    padded = [np.pad(mask, 1) for mask in (truth, prediction)]
    first, second = (_boundary(mask) for mask in padded)
    sides = (nearest_distances(first, second, spacing), nearest_distances(second, first, spacing))
    pooled = np.concatenate(sides)
    return SurfaceMeasures(
        hd95=float(np.percentile(pooled, 95)),
        hd95_max=float(max(np.percentile(side, 95) for side in sides)),
        assd=float(pooled.mean()),
        nsd=_share_within(padded[0], padded[1], spacing, tolerance),
    )


def _boundary(padded: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the boundary voxels of a mask that has a margin of background; the margin is cut off."""
    core = tuple(slice(1, -1) for _ in range(padded.ndim))
    mask = padded[core]
    interior = mask.copy()
    for axis in range(padded.ndim):
        for neighbour in (slice(None, -2), slice(2, None)):
            interior &= padded[(*core[:axis], neighbour, *core[axis + 1 :])]
    return mask & ~interior


def _share_within(
    padded_truth: NDArray[np.bool_],
    padded_prediction: NDArray[np.bool_],
    spacing: tuple[float, ...],
    tolerance: float,
) -> float:
    """Return the share of both surfaces, by size of their elements, within the tolerance of the other."""
    all_inside = 2 ** (2**padded_truth.ndim) - 1
    codes = [neighbourhood_codes(mask) for mask in (padded_truth, padded_prediction)]
    elements = [(code != 0) & (code != all_inside) for code in codes]
    within_size = total_size = 0.0
    for here, other in ((0, 1), (1, 0)):
        sizes = element_sizes(spacing)[codes[here][elements[here]]]
        # A distance equal to the tolerance is within it, however it was rounded.
        farthest = tolerance * (1 + RELATIVE_PRECISION)
        distances = nearest_distances(elements[here], elements[other], spacing, reach=1.01 * farthest)
        within_size += float(sizes[distances <= farthest].sum())
        total_size += float(sizes.sum())
    return within_size / total_size
