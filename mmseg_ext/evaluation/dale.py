"""Scoring `dale`: image by image and in pixels, as the lesion benchmarks that DALE's tables build on [inferred]."""

from __future__ import annotations

from dataclasses import replace
from math import nan

from mmseg_ext.evaluation.measures import ClassMeasures


def score_dale(measured: ClassMeasures, diagonal: float) -> ClassMeasures:
    """Return the measures with rules for empty masks applied.

    Two empty masks agree: overlaps 1, distances 0. If one is empty nothing overlaps and no distance is defined, so
    that the image is left out of the mean distance.

    Args:
        measured: Measures of one class, distances in pixels.
        diagonal: Not used: no distance grows where a mask is empty.
    """
    match measured.status:
        case "ok":
            return measured
        case "both_empty":
            return replace(measured, dsc=1.0, iou=1.0, nsd=1.0, hd95=0.0, hd95_max=0.0, assd=0.0)
        case "missed" | "spurious":
            return replace(measured, dsc=0.0, iou=0.0, nsd=0.0, hd95=nan, hd95_max=nan, assd=nan)
