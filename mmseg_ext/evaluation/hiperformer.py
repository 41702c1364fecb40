"""Scoring `hiperformer`: the empty-mask rules of the evaluator that HiPerformer released, inherited from TransUNet."""

from __future__ import annotations

from dataclasses import replace

from mmseg_ext.evaluation.measures import ClassMeasures


def score_hiperformer(measured: ClassMeasures, diagonal: float) -> ClassMeasures:
    """Return the measures with the empty-mask rules of the released evaluator applied.

    An organ predicted where there is none is perfect (DSC 1, HD95 0); one that is missed, or in neither mask, has DSC 0
    and yet HD95 0. The evaluator has no other measure: the remaining overlaps follow its DSC, the distances its HD95.

    Args:
        measured: Measures of one class, distances in pixels.
        diagonal: Not used: no distance grows where a mask is empty.
    """
    if measured.status == "ok":
        return measured
    overlap = 1.0 if measured.status == "spurious" else 0.0
    return replace(measured, dsc=overlap, iou=overlap, nsd=overlap, hd95=0.0, hd95_max=0.0, assd=0.0)
