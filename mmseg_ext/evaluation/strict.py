"""Scoring `strict`: what a class counts where a mask is empty."""

from __future__ import annotations

from dataclasses import replace
from math import nan

from mmseg_ext.evaluation.measures import ClassMeasures


def score_strict(measured: ClassMeasures, diagonal: float) -> ClassMeasures:
    """Return the measures with the empty-mask policy applied.

    A class absent from both masks is undefined in every measure. A missed or spurious class overlaps nowhere
    and is as far away as the image is large: DSC, IoU and NSD 0, distances the diagonal.

    Args:
        measured: Measures of one class.
        diagonal: Length of the diagonal of the case, in the unit of the distances.
    """
    match measured.status:
        case "ok":
            return measured
        case "both_empty":
            return replace(measured, dsc=nan, iou=nan, hd95=nan, hd95_max=nan, assd=nan, nsd=nan)
        case "missed" | "spurious":
            far = diagonal
            return replace(measured, dsc=0.0, iou=0.0, hd95=far, hd95_max=far, assd=far, nsd=0.0)
