"""Scoring rules by the name that a protocol gives.

A paper's own rules are one file with one or two functions, one entry of SCORING, and the same name among the
alternatives of `mmseg_ext.suite.track.Scoring`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mmseg_ext.evaluation.dale import score_dale
from mmseg_ext.evaluation.hiperformer import score_hiperformer
from mmseg_ext.evaluation.measures import ClassMeasures, case_measures
from mmseg_ext.evaluation.strict import score_strict
from mmseg_ext.evaluation.supercl import score_supercl, slice_measures

Labels = NDArray[np.uint8]
Measure = Callable[[Labels, Labels, Sequence[str], tuple[float, float, float], float], list[ClassMeasures]]
"""From truth, prediction, class names, spacing and NSD tolerance to one record a foreground class."""


@dataclass(frozen=True)
class Scoring:
    """How a case is measured, and what follows where a mask is empty."""

    score: Callable[[ClassMeasures, float], ClassMeasures]
    """From the measures of a class and the diagonal of its case to the row of the table."""
    measure: Measure = case_measures
    """What is measured, before any rule for empty masks; rules that share it share its cost."""
    in_pixels: bool = False
    """Distances count pixels although the data have a spacing."""


SCORING: dict[str, Scoring] = {
    "strict": Scoring(score_strict),
    "hiperformer": Scoring(score_hiperformer, in_pixels=True),
    "supercl": Scoring(score_supercl, slice_measures, in_pixels=True),
    "dale": Scoring(score_dale, in_pixels=True),
}
