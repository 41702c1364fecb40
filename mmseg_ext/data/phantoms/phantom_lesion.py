"""Dermoscopy-like images of one skin lesion whose border is sharp on one side and fuzzy on the other.

The lesion is star-shaped: r(phi) = r0 (1 + sum_k a_k cos(k phi + b_k)), k <= 6. With d the signed distance to
that contour (negative inside), pigment fades as sigmoid(-d / s(phi)); the blur s runs from 0.7 px where the
border is sharp to 6 px where it is fuzzy. The mask is d < 0 everywhere, so the truth is known even where it
cannot be seen.

Raw form: images/<case>.png (RGB), masks/<case>.png (0 or 255), fuzzy/<case>.png (0 or 255), the band |d| < 2 s where
s > 2, in which annotators may be expected to disagree, and blur/<case>.png, which is s in units of `BLUR_UNIT`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from scipy.ndimage import gaussian_filter
from scipy.special import expit

from mmseg_ext.data.border import BLUR_UNIT
from mmseg_ext.data.phantoms.random_fields import case_name, item_generator, smooth_field
from mmseg_ext.data.prepared import write_image
from mmseg_ext.suite.dataset_card import Subset

SIZE = 128
"""Height and width in pixels."""
SHARP, FUZZY = 0.7, 6.0
"""Range of the border's blur in pixels."""


@dataclass(frozen=True)
class _Contour:
    """Per pixel: signed distance to the lesion's contour and blur of the nearest stretch of it, in pixels."""

    distance: np.ndarray
    blur: np.ndarray


def write_item(root: Path, subset: Subset, index: int, seed: int) -> None:
    """Write image, mask and fuzzy band of one item below `root`."""
    rng = item_generator(subset, index, seed)
    contour = _contour(rng)
    name = f"{case_name(subset, index)}.png"
    write_image(root / "images" / name, _image(rng, contour))
    write_image(root / "masks" / name, _as_mask(contour.distance < 0))
    band = (np.abs(contour.distance) < 2 * contour.blur) & (contour.blur > 2)
    write_image(root / "fuzzy" / name, _as_mask(band))
    write_image(root / "blur" / name, (contour.blur / BLUR_UNIT).round().astype(np.uint8))


def _as_mask(inside: np.ndarray) -> np.ndarray:
    return np.where(inside, 255, 0).astype(np.uint8)


def _contour(rng: np.random.Generator) -> _Contour:
    rows, columns = np.mgrid[:SIZE, :SIZE].astype(np.float32)
    centre = SIZE / 2 + rng.uniform(-0.1, 0.1, 2) * SIZE
    radius = rng.uniform(0.17, 0.31) * SIZE
    y, x = rows - centre[0], columns - centre[1]
    distance_to_centre, angle = np.hypot(y, x), np.arctan2(y, x)
    order = np.arange(1, 7)[:, None, None]
    amplitude = (rng.normal(0, 0.22, 6) / np.arange(1, 7))[:, None, None].clip(-0.2, 0.2)
    shift = rng.uniform(0, 2 * np.pi, 6)[:, None, None]
    outline = radius * (1 + (amplitude * np.cos(order * angle + shift)).sum(0))
    slope = -radius * (amplitude * order * np.sin(order * angle + shift)).sum(0)
    # First-order distance to the curve r = outline(phi): the radial gap times the cosine of its slant.
    signed = (distance_to_centre - outline) / np.sqrt(1 + (slope / outline) ** 2)
    towards_fuzzy = 0.5 + 0.5 * np.cos(angle - rng.uniform(0, 2 * np.pi))
    sharpness = expit((towards_fuzzy - rng.uniform(0.45, 0.7)) * 14)
    return _Contour(signed, SHARP + (FUZZY - SHARP) * sharpness)


def _image(rng: np.random.Generator, contour: _Contour) -> np.ndarray:
    skin = np.array([rng.uniform(196, 232), rng.uniform(150, 182), rng.uniform(126, 160)])
    texture = 5 * smooth_field(rng, (SIZE, SIZE), (5, 5)) + 2.5 * smooth_field(rng, (SIZE, SIZE), (40, 40))
    reddening = 4 * smooth_field(rng, (SIZE, SIZE), (7, 7))
    image = skin + (texture[..., None] + reddening[..., None] * np.array([0.3, -1, -0.8]))

    pigment = expit(-contour.distance / contour.blur)
    # Pigment is denser in places, and a network of fine darker lines runs through it.
    patches, network = smooth_field(rng, (SIZE, SIZE), (9, 9)), smooth_field(rng, (SIZE, SIZE), (34, 34))
    density = 1 + 0.16 * patches + 0.08 * network
    strength = (pigment * density * rng.uniform(0.45, 1.0)).clip(0, 1.15)[..., None]
    brown = np.array([rng.uniform(85, 120), rng.uniform(48, 72), rng.uniform(32, 54)])
    core = np.array([48, 30, 28])
    darker = expit(-(contour.distance + rng.uniform(8, 22) + 4 * smooth_field(rng, (SIZE, SIZE), (6, 6))) / 4)
    hue = brown + (core - brown) * (rng.uniform(0, 0.8) * darker)[..., None]
    image = image + (hue - image) * strength

    image = _hair(rng, image)
    image = gaussian_filter(image, (0.5, 0.5, 0)) * _vignette(rng)[..., None]
    image = image + rng.normal(0, rng.uniform(1.5, 4), image.shape)
    return image.round().clip(0, 255).astype(np.uint8)


def _hair(rng: np.random.Generator, image: np.ndarray) -> np.ndarray:
    """Draw a few dark curved hairs on every second image."""
    count = int(rng.integers(2, 12)) if rng.random() < 0.5 else 0
    opacity = np.zeros((SIZE, SIZE), np.uint8)
    combed = rng.uniform(0, np.pi)
    for _ in range(count):
        start = rng.uniform(0, SIZE, 2)
        heading = combed + rng.normal(0, 0.5)
        bend = rng.normal(0, 0.012)
        steps = np.arange(rng.uniform(0.4, 1.3) * SIZE)
        directions = heading + bend * steps
        path = start + np.cumsum(np.stack([np.cos(directions), np.sin(directions)], 1), 0)
        # OpenCV takes fixed-point coordinates: four binary places here.
        points = (path * 16).round().astype(np.int32)
        cv2.polylines(opacity, [points], False, int(rng.uniform(130, 230)), 1, cv2.LINE_AA, shift=4)
    dark = np.array([52, 38, 34])
    return image + (dark - image) * (opacity / 255)[..., None]


def _vignette(rng: np.random.Generator) -> np.ndarray:
    """Return the fall-off of light towards the corners, brightest near the centre."""
    rows, columns = np.mgrid[:SIZE, :SIZE] / SIZE - 0.5 + rng.uniform(-0.12, 0.12, (2, 1, 1))
    return 1 - rng.uniform(0.2, 0.7) * (rows**2 + columns**2)
