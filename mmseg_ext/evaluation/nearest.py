"""Exact distances from the points of one set to the nearest point of another, on one grid."""

from __future__ import annotations

from math import inf

import edt
import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

RELATIVE_PRECISION = 1e-6
"""Distances are right to this part of themselves: a distance map is single precision."""

# A search over points is the faster way for surfaces that are thin in their volume, a distance map for masks
# that are full of surface. Measured on one core: a point costs about as much as this many voxels of a map …
_VOXELS_PER_POINT = 10
# … and a map, whose library starts threads, has the overhead of this many voxels.
_VOXELS_OF_OVERHEAD = 20_000


def nearest_distances(
    here: NDArray[np.bool_], other: NDArray[np.bool_], spacing: tuple[float, ...], reach: float = inf
) -> NDArray[np.float64]:
    """Return the distance of every point of `here` to the nearest point of `other`.

    Args:
        here: Points as a mask of two or three dimensions.
        other: At least one point, as a mask of the same shape.
        spacing: Distance between neighbours along every axis.
        reach: Distances from here on may be returned as infinite, which saves time.

    Returns:
        Distances in units of the spacing, in the order of the points in memory.
    """
    shared = other[here]
    searched = np.count_nonzero(other) + shared.size - np.count_nonzero(shared)
    if searched * _VOXELS_PER_POINT < here.size + _VOXELS_OF_OVERHEAD:
        return by_search(here, other, spacing, reach)
    return by_map(here, other, spacing)


def by_search(
    here: NDArray[np.bool_], other: NDArray[np.bool_], spacing: tuple[float, ...], reach: float
) -> NDArray[np.float64]:
    """Return what `nearest_distances` does, by a search tree over the points of `other`."""
    apart = ~other[here]
    distances = np.zeros(apart.shape)
    # Balancing costs more than it gives: points on a grid are spread evenly.
    tree = cKDTree(np.argwhere(other) * spacing, balanced_tree=False, compact_nodes=False)
    points = np.argwhere(here & ~other) * spacing
    distances[apart], _ = tree.query(points, distance_upper_bound=reach)
    return distances


def by_map(here: NDArray[np.bool_], other: NDArray[np.bool_], spacing: tuple[float, ...]) -> NDArray[np.float64]:
    """Return what `nearest_distances` does, by a map of the distances of all voxels."""
    # In units of the smallest spacing, squared distances along the finest axes are integers and thus exact in
    # the single precision of the map. The library is faster on bytes than on booleans.
    unit = min(spacing)
    anisotropy = tuple(value / unit for value in spacing)
    squared = edt.edtsq((~other).view(np.uint8), anisotropy=anisotropy, parallel=1)
    distances: NDArray[np.float64] = np.sqrt(squared[here], dtype=np.float64) * unit
    return distances
