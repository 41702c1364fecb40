"""Surface elements of a mask: how much surface passes between neighbouring pixels or voxels.

Every 2x2 (2x2x2) neighbourhood of a mask is a corner pattern; marching squares (marching cubes) says which
line segments (triangles) separate its inside from its outside. Their total length (area) is the size of the
surface element that sits in the middle of the neighbourhood.

Patterns are numbered by a code: the corner at offset (z, y, x) contributes bit `4 z + 2 y + x`. A pattern
with more than half of its corners inside has the element of its complement, so that a mask and its complement
have the same surface; this also settles the patterns that marching cubes leaves ambiguous.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray
from skimage.measure import find_contours, marching_cubes


def neighbourhood_codes(padded: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Return the code of every neighbourhood of a mask.

    Args:
        padded: Mask of two or three dimensions, with a margin of background on every side.

    Returns:
        Codes, one fewer along every axis than the mask.
    """
    codes: NDArray[np.uint8] = padded.view(np.uint8)
    for step, axis in enumerate(reversed(range(padded.ndim))):
        before: list[slice] = [slice(None)] * padded.ndim
        after = before.copy()
        before[axis], after[axis] = slice(None, -1), slice(1, None)
        codes = codes[tuple(before)] | (codes[tuple(after)] << np.uint8(1 << step))
    return codes


@cache
def element_sizes(spacing: tuple[float, ...]) -> NDArray[np.float64]:
    """Return the size of the surface element of every code.

    Args:
        spacing: Distance between neighbours along every axis, (y, x) or (z, y, x).

    Returns:
        16 lengths in units of the spacing for two axes, 256 areas in squared units for three.
    """
    # Stretching space by the spacing turns an area vector n into its cofactors n * prod(spacing) / spacing.
    stretch = np.prod(spacing) / np.asarray(spacing)
    return np.array([np.linalg.norm(normals * stretch, axis=1).sum() for normals in _element_normals(len(spacing))])


@cache
def _element_normals(dimensions: int) -> tuple[NDArray[np.float64], ...]:
    """Return for every code the area vectors (n, dimensions) of its segments or triangles at unit spacing."""
    corners = 2**dimensions
    normals_of = {2: _segment_normals, 3: _triangle_normals}[dimensions]
    found = []
    for code in range(2**corners):
        fewer = code if code.bit_count() <= corners // 2 else 2**corners - 1 - code
        pattern = (fewer >> np.arange(corners)) & 1
        none = np.zeros((0, dimensions))
        found.append(normals_of(pattern.reshape((2,) * dimensions)) if fewer else none)
    return tuple(found)


def _segment_normals(pattern: NDArray[np.int64]) -> NDArray[np.float64]:
    lines = find_contours(pattern.astype(np.float64), 0.5)  # type: ignore[no-untyped-call]
    steps = np.concatenate([np.diff(line, axis=0) for line in lines])
    return steps[:, ::-1] * [1, -1]


def _triangle_normals(pattern: NDArray[np.int64]) -> NDArray[np.float64]:
    volume = pattern.astype(np.float32)
    vertices, faces, _, _ = marching_cubes(volume, 0.5, method="lorensen")  # type: ignore[no-untyped-call]
    first, second, third = np.moveaxis(vertices.astype(np.float64)[faces], 1, 0)
    return np.cross(second - first, third - first) / 2
