"""One slice of a case, drawn with the contours of label maps."""

from __future__ import annotations

from collections.abc import Mapping

import cv2
import numpy as np
import pandas as pd
from matplotlib import patheffects
from matplotlib.axes import Axes

from mmseg_ext.data.intensity import to_unit
from mmseg_ext.data.prepared import IGNORED, PreparedDataset
from mmseg_ext.reporting.figures.style import bare

LONGEST_NAME = 20
"""Characters of a case name that fit beside or below its picture."""

MOST_PIXELS = 512
"""Longest side of a slice that is shown whole: more than its place on the page has."""


class CaseView:
    """The slice of a case with most foreground.

    Args:
        prepared: Its data set.
        case: Its name.
        whole: Show the whole slice, reduced to MOST_PIXELS, instead of the surroundings of the foreground.
        channel: Which channel to show of a volume that has several.
    """

    def __init__(self, prepared: PreparedDataset, case: str, whole: bool = False, channel: int = 0) -> None:
        volume = prepared.label_volume(case)
        self.slice = int((volume > 0).sum(axis=(1, 2)).argmax())
        self.truth = volume[self.slice]
        name = prepared.cases[case].samples[self.slice]
        sample = prepared.samples.set_index("sample").loc[name]
        image = prepared.image(name)
        if whole and (factor := MOST_PIXELS / max(self.truth.shape)) < 1:
            size = tuple(max(1, round(side * factor)) for side in self.truth.shape[::-1])
            image = cv2.resize(np.ascontiguousarray(image), size, interpolation=cv2.INTER_AREA)
            self.truth = cv2.resize(self.truth, size, interpolation=cv2.INTER_NEAREST)
        self.image = _displayable(image, sample, channel)
        spacing = prepared.cases[case].spacing
        self.aspect = spacing[1] / spacing[2] if spacing else 1.0
        self.window = (slice(None), slice(None)) if whole else surroundings(self.truth)

    def show(self, axes: Axes) -> None:
        """Draw the image."""
        bare(axes)
        rows, columns = self.window
        look = {"cmap": "gray", "vmin": 0, "vmax": 1} if self.image.ndim == 2 else {}
        axes.imshow(self.image[rows, columns], aspect=self.aspect, interpolation="nearest", **look)
        axes.set_autoscale_on(False)

    @property
    def height(self) -> float:
        """Height of the whole slice, in the unit of `width`."""
        return self.truth.shape[0] * self.aspect

    @property
    def width(self) -> float:
        """Width of the whole slice."""
        return float(self.truth.shape[1])

    def outline(self, axes: Axes, labels: np.ndarray, colours: str | Mapping[int, str], width: float = 1.3) -> None:
        """Draw the border of every class in a label map (H, W); with several colours, each class in that of its id.

        Args:
            axes: Where `show` has drawn the image.
            labels: The label map.
            colours: One colour, or one for each class id.
            width: Width of the lines in points.
        """
        part = labels[self.window]
        drawn_ids = np.unique(part[(part > 0) & (part != IGNORED)])
        for class_id in drawn_ids:
            colour = colours if isinstance(colours, str) else colours[class_id]
            # A frame of background closes the contour of what the picture's edge cuts off.
            framed = np.pad(part == class_id, 1)
            rows, columns = (np.arange(-1, size + 1) for size in part.shape)
            drawn = axes.contour(columns, rows, framed, levels=[0.5], colors=[colour], linewidths=width)
            drawn.set_path_effects([patheffects.withStroke(linewidth=width + 1, foreground="#00000090")])


def shortened(case: str) -> str:
    """Return a case's name so that it fits with its picture: the middle of a long one is left out."""
    return case if len(case) <= LONGEST_NAME else f"{case[: LONGEST_NAME // 2]}…{case[1 - LONGEST_NAME // 2 :]}"


def surroundings(truth: np.ndarray) -> tuple[slice, slice]:
    """Return a square window around the foreground that shows some of what lies about it."""
    if not truth.any():
        return slice(0, truth.shape[0]), slice(0, truth.shape[1])
    spans = [np.flatnonzero((truth > 0).any(axis=axis)) for axis in (1, 0)]
    side = max(1.7 * max(span[-1] - span[0] + 1 for span in spans), 0.3 * min(truth.shape))
    window = []
    for span, length in zip(spans, truth.shape, strict=True):
        size = min(length, round(side))
        start = min(max(0, (span[0] + span[-1] + 1 - size) // 2), length - size)
        window.append(slice(int(start), int(start + size)))
    return window[0], window[1]


def _displayable(image: np.ndarray, sample: pd.Series, channel: int) -> np.ndarray:
    """Return the image, or one of its channels if they are no 8-bit colours, with its window at 0 to 1."""
    if image.ndim == 3 and image.dtype != np.uint8:
        image = image[:, :, channel]
    return to_unit(image, *(float(sample[name]) for name in ("slope", "intercept", "low", "high")))
