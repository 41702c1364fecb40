"""Noise that moves, grows or redraws a mask whatever the image shows."""

from __future__ import annotations

import cv2
import numpy as np
from scipy.ndimage import binary_dilation, binary_erosion, gaussian_filter, map_coordinates

from mmseg_ext.data.border import signed_distance
from mmseg_ext.suite.label_noise import DistanceBandNoise, ElasticNoise, MarkovNoise, PolygonNoise, RatioNoise

DIRECTIONS = [(dy, dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1) if (dy, dx) != (0, 0)]
"""The eight directions a mask may move in; both public codes list (-1, 1) twice and lack (-1, -1)."""
TURN = 30.0
"""Largest rotation of the family `ratio`, in degrees."""


def ratio(mask: np.ndarray, noise: RatioNoise, rng: np.random.Generator) -> np.ndarray:
    """Dilate, erode, or rotate and shift a mask (H, W) bool until it differs by the share `noise.area`."""
    kind = rng.integers(3)
    if kind == 2:
        return _moved(mask, noise.area, rng)
    step = binary_dilation if kind == 0 else binary_erosion
    wanted = mask.sum() * (1 + noise.area if kind == 0 else 1 - noise.area)
    before, after = mask, step(mask)
    while (after.sum() < wanted) if kind == 0 else (after.sum() > wanted):
        before, after = after, step(after)
        if np.array_equal(before, after):
            break
    nearer = abs(int(after.sum()) - wanted) < abs(int(before.sum()) - wanted)
    return after if nearer and after.any() else before


def _moved(mask: np.ndarray, share: float, rng: np.random.Generator) -> np.ndarray:
    height, width = mask.shape
    rows, columns = np.nonzero(mask)
    centre = (float(columns.mean()), float(rows.mean()))
    turn = cv2.getRotationMatrix2D(centre, rng.uniform(-TURN, TURN), 1.0)
    down, right = DIRECTIONS[rng.integers(len(DIRECTIONS))]

    def shifted(step: float) -> np.ndarray:
        matrix = turn + np.array([[0, 0, right * step], [0, 0, down * step]])
        moved = cv2.warpAffine(mask.astype(np.uint8), matrix, (width, height), flags=cv2.INTER_NEAREST) > 0
        return moved if moved.any() else mask

    low, high = 0.0, float(max(height, width))
    for _ in range(20):
        middle = (low + high) / 2
        if (shifted(middle) ^ mask).sum() < share * mask.sum():
            low = middle
        else:
            high = middle
    return shifted(low)


def markov(mask: np.ndarray, noise: MarkovNoise, rng: np.random.Generator) -> np.ndarray:
    """Let the border of a mask (H, W) bool walk: each step pixels next to it change with a small probability."""
    cross = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]], np.uint8)
    current = mask.astype(np.uint8)
    for _ in range(noise.steps):
        grows = rng.random() < noise.grow
        reached = cv2.dilate(current, cross) if grows else cv2.erode(current, cross)
        chosen = (reached != current) & (rng.random(mask.shape) < noise.flip)
        current = np.where(chosen, reached, current)
    current = np.where(rng.random(mask.shape) < noise.sprinkle, 1 - current, current)
    return cv2.GaussianBlur(current.astype(np.float32), (5, 5), 2.0) > 0.5


def distance_band(mask: np.ndarray, noise: DistanceBandNoise, rng: np.random.Generator) -> np.ndarray:
    """Grow or shrink a mask (H, W) bool by one distance."""
    level = rng.uniform(noise.low, noise.high)
    grows = rng.random() < 0.5
    return signed_distance(mask) < (level if grows else -level)


def polygon(mask: np.ndarray, noise: PolygonNoise, rng: np.random.Generator) -> np.ndarray:
    """Replace every object of a mask (H, W) bool by a polygon of points spread evenly along its outer border."""
    outlines, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    drawn = np.zeros(mask.shape, np.uint8)
    for outline in outlines:
        places = (np.arange(noise.vertices) + rng.random()) * len(outline) / noise.vertices
        cv2.fillPoly(drawn, [outline[places.astype(int) % len(outline)]], 1)
    return drawn > 0


def elastic(mask: np.ndarray, noise: ElasticNoise, rng: np.random.Generator) -> np.ndarray:
    """Bend a mask (H, W) bool."""
    fields = [smooth_noise(rng, mask.shape, noise.smoothness) for _ in range(2)]
    places = [axis + noise.shift * field for axis, field in zip(np.indices(mask.shape), fields, strict=True)]
    bent: np.ndarray = map_coordinates(mask.astype(np.uint8), places, order=0, mode="constant") > 0
    return bent


def smooth_noise(rng: np.random.Generator, shape: tuple[int, ...], sigma: float) -> np.ndarray:
    """Return white noise smoothed by a Gaussian and scaled to unit variance at every pixel."""
    # Padding keeps the variance the same at the edges; the factor undoes what smoothing took away.
    pad = int(np.ceil(4 * sigma))
    white = rng.standard_normal([side + 2 * pad for side in shape])
    inner = tuple(slice(pad, pad + side) for side in shape)
    impulse = np.zeros(2 * pad + 1)
    impulse[pad] = 1
    kernel = gaussian_filter(impulse, sigma)
    scaled: np.ndarray = gaussian_filter(white, sigma)[inner] / (kernel**2).sum()
    return scaled
