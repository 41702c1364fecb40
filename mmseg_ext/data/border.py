"""The border of a mask: signed distance to it, how blurred the image is along it, and the bands around it.

All distances are in pixels, whatever the spacing: they describe what can be seen on the pixel grid.
"""

from __future__ import annotations

import numpy as np
from scipy.ndimage import distance_transform_edt, gaussian_filter

from mmseg_ext.data.prepared import PreparedDataset, read_map

BLUR_UNIT = 1 / 32
"""Pixels of blur that one grey value of a stored map `blur` stands for."""
SHARPEST, FUZZIEST = 0.7, 6.0
"""Limits of an estimated blur, in pixels: those of the lesion phantom."""
REACH = 16.0
"""How far from the border its blur is estimated, in pixels."""
FUZZY_FROM = 2.0
"""A border is fuzzy where its blur is larger than this, in pixels."""


def signed_distance(mask: np.ndarray) -> np.ndarray:
    """Return the distance (H, W) to the border of a mask, negative inside; a border pixel's centre is half a pixel off.

    Everywhere is far from the border of a mask that is empty or full: the value is then the image's diagonal.
    """
    far = float(np.hypot(*mask.shape))
    outside = distance_transform_edt(~mask) if mask.any() else np.full(mask.shape, far)
    inside = distance_transform_edt(mask) if not mask.all() else np.full(mask.shape, far)
    return np.where(mask, 0.5 - inside, outside - 0.5)


def estimated_blur(image: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Estimate the blur (H, W) of the border nearest to each pixel, in pixels.

    Across an edge sigmoid(d / s) the slope is a logistic density of d, whose variance is (pi s)^2 / 3. The slope along
    the normal of the border is taken with its sign, so that texture averages out, in a Gaussian window along the
    border; its second moment within `REACH` pixels, less what smoothing added, gives s.

    Args:
        image: (H, W) or (H, W, C) of any scale.
        mask: (H, W) bool with at least one border.
    """
    grey = image.astype(np.float64).mean(-1) if image.ndim == 3 else image.astype(np.float64)
    distance = signed_distance(mask)
    slopes = [gaussian_filter(grey, 1.0, order=order) for order in ((1, 0), (0, 1))]
    normal = np.gradient(gaussian_filter(distance, 1.0))
    steepness = sum(slope * part for slope, part in zip(slopes, normal, strict=True)) * (np.abs(distance) < REACH)
    _, places = distance_transform_edt(np.abs(distance) > 0.75, return_indices=True)
    nearest = np.ravel_multi_index(tuple(places), mask.shape).ravel()

    def along(values: np.ndarray) -> np.ndarray:
        """Gather values at the nearest border pixel and average them along the border, up to one factor."""
        gathered = np.bincount(nearest, values.ravel(), minlength=mask.size).reshape(mask.shape)
        averaged: np.ndarray = gaussian_filter(gathered, 4.0)
        return averaged

    total, spread = along(steepness), along(steepness * distance**2)
    variance = np.divide(spread, total, out=np.full(total.shape, np.inf), where=np.abs(total) > 1e-9)
    at_border = np.clip(np.sqrt(np.maximum(3 * (variance - 1), 0)) / np.pi, SHARPEST, FUZZIEST)
    spread_out: np.ndarray = at_border.ravel()[nearest].reshape(mask.shape)
    return spread_out


def blur_of(data: PreparedDataset, sample: str) -> np.ndarray:
    """Return the blur (H, W) of a sample's true border: the stored map where the source has one, else an estimate.

    Raises:
        InputError: If a file is missing.
    """
    file = data.map_file("blur", sample)
    if file.is_file():
        return read_map(file) * BLUR_UNIT
    return estimated_blur(data.image(sample), data.label(sample) == 1)


def bands(mask: np.ndarray, blur: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the fuzzy and the sharp band (H, W) bool around the border of a mask.

    The fuzzy band is |d| < 2 s where s > 2, the sharp one |d| < 4 where s <= 2.
    """
    distance = np.abs(signed_distance(mask))
    fuzzy = blur > FUZZY_FROM
    return fuzzy & (distance < 2 * blur), ~fuzzy & (distance < 2 * FUZZY_FROM)
