"""Methods of a suite that differ in one value, drawn over that value beside what a paper printed."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from mmseg_ext.suite.claim import Measure
from mmseg_ext.suite.dataset_card import Name
from mmseg_ext.suite.loading import StrictModel


class PublishedCurves(StrictModel):
    """Which rows of `configs/published/<paper>.csv` are curves, one a data set; the panels say which methods."""

    paper: Name
    table: str
    metric: str
    note: str = ""
    """What a reader must know of these numbers."""


class Point(StrictModel):
    """One value and the method that has it."""

    value: float
    method: Name


class Panel(StrictModel):
    """One value that is varied."""

    label: str
    """What the value is; stands at the axis."""
    points: Annotated[list[Point], Field(min_length=2)]
    published: str | None = None
    """How the names of the published methods begin; what follows is the value. None: nothing was published."""
    logarithmic: bool = False

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        values = [point.value for point in self.points]
        if len(set(values)) != len(values):
            raise ValueError(f"values that differ, found {values}")
        return self


class Sensitivity(StrictModel):
    """One figure: a column a value that is varied, a row a test set, ours above published ones."""

    sensitivity: Name
    title: str
    track: Name
    measure: Measure = "dsc"
    """Macro mean over foreground classes, then over cases, under the suite's first protocol of ours."""
    panels: Annotated[list[Panel], Field(min_length=1)]
    published: PublishedCurves | None = None

    @model_validator(mode="after")
    def _source_of_published(self) -> Self:
        if self.published is None and any(panel.published is not None for panel in self.panels):
            raise ValueError("`published` with paper, table and metric, because a panel has published values")
        return self
