"""Overlap and surface measures of one case, class by class, without any policy for empty masks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import nan
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from mmseg_ext.data.prepared import IGNORED
from mmseg_ext.evaluation.surface import surface_measures

Status = Literal["ok", "both_empty", "missed", "spurious"]
"""Whether both masks hold the class, neither, only the truth, or only the prediction."""

Box = tuple[slice, ...]


@dataclass(frozen=True)
class ClassMeasures:
    """What is measured of one class in one case; a measure without a value is NaN."""

    class_id: int
    class_name: str
    status: Status
    dsc: float
    iou: float
    hd95: float
    hd95_max: float
    assd: float
    nsd: float
    intersection: int
    prediction: int
    truth: int
    """Number of pixels (voxels) in both masks, in the prediction, in the truth."""


def case_measures(
    truth: NDArray[np.uint8],
    prediction: NDArray[np.uint8],
    classes: Sequence[str],
    spacing: tuple[float, float, float],
    tolerance: float,
) -> list[ClassMeasures]:
    """Measure every foreground class of one case.

    A case of one slice is measured in two dimensions. Overlaps follow their formulas and are NaN where both
    masks are empty; surface measures are NaN unless both masks hold the class.

    Args:
        truth: Class ids (slices, H, W); pixels of IGNORED count nowhere.
        prediction: Class ids of the same shape.
        classes: Class names by id, background first.
        spacing: Distance between slices, rows and columns.
        tolerance: Tolerance of the NSD, in the unit of the spacing.

    Returns:
        One record a foreground class, in the order of the ids.

    Raises:
        ValueError: If the arrays are not of one 3-D shape.
    """
    if truth.ndim != 3 or truth.shape != prediction.shape:
        found = f"{truth.shape} and {prediction.shape}"
        raise ValueError(f"found shapes {found}, expected one shape (slices, H, W)")
    ignored = truth == IGNORED
    if ignored.any():
        prediction = np.where(ignored, truth, prediction)
    axes: tuple[float, ...] = spacing
    if truth.shape[0] == 1:
        truth, prediction, axes = truth[0], prediction[0], spacing[1:]
    last = len(classes) - 1
    boxes = zip(ndimage.find_objects(truth, last), ndimage.find_objects(prediction, last), strict=True)
    return [
        _measure(class_id, classes[class_id], truth, prediction, _union(*pair), axes, tolerance)
        for class_id, pair in enumerate(boxes, start=1)
    ]


def _measure(
    class_id: int,
    name: str,
    truth: NDArray[np.uint8],
    prediction: NDArray[np.uint8],
    box: Box | None,
    spacing: tuple[float, ...],
    tolerance: float,
) -> ClassMeasures:
    if box is None:
        return ClassMeasures(class_id, name, "both_empty", nan, nan, nan, nan, nan, nan, 0, 0, 0)
    masks = truth[box] == class_id, prediction[box] == class_id
    true, predicted = (int(np.count_nonzero(mask)) for mask in masks)
    shared = int(np.count_nonzero(masks[0] & masks[1]))
    overlap = 2 * shared / (true + predicted), shared / (true + predicted - shared)
    counts = shared, predicted, true
    if true and predicted:
        found = surface_measures(*masks, spacing, tolerance)
        distances = found.hd95, found.hd95_max, found.assd, found.nsd
        return ClassMeasures(class_id, name, "ok", *overlap, *distances, *counts)
    status: Status = "missed" if true else "spurious"
    return ClassMeasures(class_id, name, status, *overlap, nan, nan, nan, nan, *counts)


def _union(first: Box | None, second: Box | None) -> Box | None:
    """Return the smallest box that holds both boxes; None where there is none."""
    if first is None or second is None:
        return first or second
    return tuple(slice(min(a.start, b.start), max(a.stop, b.stop)) for a, b in zip(first, second, strict=True))
