"""Divide an image into superpixels, with any algorithm, by one function."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import cv2
import numpy as np
from skimage import segmentation

from mmseg_ext.suite.errors import InputError
from mmseg_ext.suite.superpixel_recipe import Felzenszwalb, Lsc, Seeds, SlicOpencv, SlicSkimage, SuperpixelRecipe

MIN_SIDE = 3
"""Least mean side, in pixels, of the superpixels one may ask for; OpenCV's SEEDS crashes on smaller ones."""
SMALLEST_PART = 25
"""Percent of the mean size below which OpenCV merges a stray part into a neighbour; its own default."""


def superpixels(image: np.ndarray, recipe: SuperpixelRecipe) -> np.ndarray:
    """Divide an image into superpixels.

    Every algorithm sees the image with its smallest value at 0 and its largest at 1, so that settings mean the same
    whatever the range, and runs on one thread; processes share images, not pixels.

    Args:
        image: (H, W) grey, (H, W, 3) RGB, or (H, W, C) of which the recipe chooses a channel; any number type.
        recipe: Algorithm and settings.

    Returns:
        (H, W) int32 map of ids 1, 2, … without gaps, each in one piece counting diagonal neighbours. 0 is not used: it
        is left to pixels outside the image, which padding and rotation add later.

    Raises:
        InputError: If the image does not fit the recipe, is too small for it, holds values that are not finite, or
            the whole of it ends in one superpixel; if OpenCV lacks its extra modules.
    """
    values = _scaled(_chosen(np.asarray(image), recipe))
    if not isinstance(recipe, Felzenszwalb):
        _check_size(values.shape, recipe.segments)
    with _one_thread():
        ids = _without_gaps(_ALGORITHMS[recipe.algorithm](values, recipe))
    if ids.max() < 2:
        hint = "Choose another algorithm or settings; slic_opencv divides even a blank image."
        raise InputError("superpixels", f"segments of {recipe.algorithm}", 1, "at least 2", hint)
    return ids


def _chosen(image: np.ndarray, recipe: SuperpixelRecipe) -> np.ndarray:
    """Return the (H, W) or (H, W, 3) part of an image that a recipe is about."""
    if image.ndim not in (2, 3):
        raise InputError("superpixels", "image", image.shape, "(height, width) or (height, width, channels)")
    if isinstance(recipe.channel, int):
        channels = 1 if image.ndim == 2 else image.shape[2]
        if recipe.channel >= channels:
            raise InputError("superpixels", "recipe.channel", recipe.channel, f"below {channels}, the image's channels")
        return image if image.ndim == 2 else image[:, :, recipe.channel]
    if image.ndim == 3 and image.shape[2] != 3:
        expected = "grey or RGB, or `channel` set to a number"
        raise InputError("superpixels", "channels of the image", image.shape[2], expected)
    if recipe.channel == "grey" and image.ndim == 3:
        return cv2.cvtColor(image.astype(np.float32), cv2.COLOR_RGB2GRAY)
    return image


def _scaled(image: np.ndarray) -> np.ndarray:
    """Return the image as float32 from 0 to 1; a constant one as zeros."""
    if not np.isfinite(image).all():
        raise InputError("superpixels", "image", "values that are not finite", "finite values")
    values = image.astype(np.float32)
    low, high = values.min(), values.max()
    return np.ascontiguousarray((values - low) / (high - low if high > low else 1))


def _check_size(shape: tuple[int, ...], segments: int) -> None:
    side = (shape[0] * shape[1] / segments) ** 0.5
    if side < MIN_SIDE or min(shape[:2]) < 2 * side:
        expected = f"room for {segments} superpixels of {MIN_SIDE} x {MIN_SIDE} pixels, at least two along each side"
        raise InputError("superpixels", "height and width of the image", shape[:2], expected, "Ask for fewer.")


def _slic_skimage(values: np.ndarray, recipe: SlicSkimage) -> np.ndarray:
    return segmentation.slic(
        _colour(values), n_segments=recipe.segments, compactness=recipe.compactness, max_num_iter=recipe.iterations
    )


def _slic_opencv(values: np.ndarray, recipe: SlicOpencv) -> np.ndarray:
    lab = cv2.cvtColor(_colour(values), cv2.COLOR_RGB2Lab)
    # The two colour axes of a grey image are zero, and leaving them out halves the time.
    features = lab if values.ndim == 3 else np.ascontiguousarray(lab[:, :, 0])
    ximgproc = _ximgproc()
    made = ximgproc.createSuperpixelSLIC(features, ximgproc.SLIC, _side(values, recipe.segments), recipe.compactness)
    return _iterated(made, recipe.iterations)


def _lsc(values: np.ndarray, recipe: Lsc) -> np.ndarray:
    made = _ximgproc().createSuperpixelLSC(
        _bytes(_smoothed(values, recipe.sigma)), _side(values, recipe.segments), recipe.ratio
    )
    return _iterated(made, recipe.iterations)


def _seeds(values: np.ndarray, recipe: Seeds) -> np.ndarray:
    height, width, channels = (*values.shape, 1)[:3]
    made = _ximgproc().createSuperpixelSEEDS(
        width, height, channels, recipe.segments, recipe.levels, recipe.prior, recipe.histogram_bins, False
    )
    made.iterate(_bytes(values), recipe.iterations)
    return made.getLabels()


def _felzenszwalb(values: np.ndarray, recipe: Felzenszwalb) -> np.ndarray:
    axis = -1 if values.ndim == 3 else None
    return segmentation.felzenszwalb(
        values, scale=recipe.scale, sigma=recipe.sigma, min_size=recipe.min_size, channel_axis=axis
    )


_ALGORITHMS: dict[str, Callable[[np.ndarray, Any], np.ndarray]] = {
    "slic_skimage": _slic_skimage,
    "slic_opencv": _slic_opencv,
    "lsc": _lsc,
    "seeds": _seeds,
    "felzenszwalb": _felzenszwalb,
}


@contextmanager
def _one_thread() -> Iterator[None]:
    """Keep OpenCV to one thread: with several, LSC gives another map each time."""
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(threads)


def _ximgproc() -> Any:
    """Return OpenCV's extra image processing, which only the contrib distribution holds."""
    if not hasattr(cv2, "ximgproc"):
        hint = "Run `pip install --force-reinstall --no-deps opencv-contrib-python==5.0.0.93`."
        raise InputError("Python environment", "cv2.ximgproc", "nothing", "OpenCV with its contrib modules", hint)
    return cv2.ximgproc


def _iterated(made: Any, iterations: int) -> np.ndarray:
    made.iterate(iterations)
    made.enforceLabelConnectivity(SMALLEST_PART)
    return made.getLabels()


def _side(values: np.ndarray, segments: int) -> int:
    """Return the mean side of a superpixel, in pixels."""
    return round((values.shape[0] * values.shape[1] / segments) ** 0.5)


def _colour(values: np.ndarray) -> np.ndarray:
    return values if values.ndim == 3 else np.stack([values] * 3, axis=-1)


def _smoothed(values: np.ndarray, sigma: float) -> np.ndarray:
    return cv2.GaussianBlur(values, (0, 0), sigma) if sigma else values


def _bytes(values: np.ndarray) -> np.ndarray:
    """Return 0 to 255, for colour as CIELAB: what LSC and SEEDS are made for."""
    stored = np.round(255 * values).astype(np.uint8)
    return cv2.cvtColor(stored, cv2.COLOR_RGB2Lab) if values.ndim == 3 else stored


def _without_gaps(labels: np.ndarray) -> np.ndarray:
    """Number the labels (0 or larger) that occur 1, 2, … in their order; a table is faster than sorting pixels."""
    numbers = np.cumsum(np.bincount(labels.ravel()) > 0, dtype=np.int32)
    return numbers[labels]
