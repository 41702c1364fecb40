"""Scoring `supercl`: distances slice by slice, as in the evaluator that SuperCL released."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import nan

import numpy as np
from numpy.typing import NDArray

from mmseg_ext.evaluation.measures import ClassMeasures, Status, case_measures


def slice_measures(
    truth: NDArray[np.uint8],
    prediction: NDArray[np.uint8],
    classes: Sequence[str],
    spacing: tuple[float, float, float],
    tolerance: float,
) -> list[ClassMeasures]:
    """Measure every foreground class: overlaps of the whole case, distances in each slice and then their mean.

    A slice in which a class is missing in the truth or in the prediction counts with distance 0. The evaluator has no
    surface overlap; `nsd` is averaged in the same way. Arguments as in `case_measures`.
    """
    by_slice = [
        case_measures(truth[index : index + 1], prediction[index : index + 1], classes, spacing, tolerance)
        for index in range(len(truth))
    ]
    return [_together(list(found)) for found in zip(*by_slice, strict=True)]


def score_supercl(measured: ClassMeasures, diagonal: float) -> ClassMeasures:
    """Return the measures as they are: the rules for empty masks are those of the slices.

    Args:
        measured: Measures of one class, distances in pixels.
        diagonal: Not used: no distance grows where a mask is empty.
    """
    return measured


def _together(found: list[ClassMeasures]) -> ClassMeasures:
    """Return the measures of a class in a case from those of its slices."""
    shared = sum(each.intersection for each in found)
    predicted = sum(each.prediction for each in found)
    true = sum(each.truth for each in found)
    status: Status = "both_empty"
    if true or predicted:
        status = "ok" if true and predicted else "missed" if true else "spurious"

    def mean(name: str) -> float:
        return float(np.mean([getattr(each, name) if each.status == "ok" else 0.0 for each in found]))

    return replace(
        found[0],
        status=status,
        dsc=2 * shared / (true + predicted) if true or predicted else nan,
        iou=shared / (true + predicted - shared) if true or predicted else nan,
        intersection=shared,
        prediction=predicted,
        truth=true,
        hd95=mean("hd95"),
        hd95_max=mean("hd95_max"),
        assd=mean("assd"),
        nsd=mean("nsd"),
    )
