"""The claim: a sentence of a paper turned into a test on runs."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from mmseg_ext.suite.dataset_card import Name
from mmseg_ext.suite.loading import StrictModel
from mmseg_ext.suite.track import Paper

Measure = Literal["dsc", "iou", "nsd", "hd95", "hd95_max", "assd"]


class TestedRuns(StrictModel):
    """Which runs a claim is tested on."""

    track: Name
    task: Name
    dataset: Name | None = None
    """Test set; needed where the task has several."""
    method: Name
    condition: Name
    protocol: Name
    measure: Measure
    """Macro mean over foreground classes, then over cases."""


class BetterThan(TestedRuns):
    """The method is better than another one by at least a margin."""

    kind: Literal["better_than"]
    than: Name
    margin: Annotated[float, Field(ge=0)]
    """Smallest lead that counts, in the unit of the measure (DSC: 0.01 is one percentage point)."""
    classes: Literal["all", "unseen"] = "all"
    """With `unseen`, only where the task has some, the measure is the pooled IoU averaged over them."""

    @model_validator(mode="after")
    def _unseen_are_pooled(self) -> BetterThan:
        if self.classes == "unseen" and self.measure != "iou":
            raise ValueError(f"measure `iou` for a claim about unseen classes, found {self.measure!r}")
        return self


class PublishedValue(StrictModel):
    """One row of `configs/published/<paper>.csv`, named by its cells."""

    table: str
    dataset: str
    method: str
    metric: str
    class_or_mean: str = "mean"
    annotation_fraction: str | None = None
    """Share of the labelled patients, as it is written in a table that has such a column."""


class AtLeast(TestedRuns):
    """The method reaches a published value, up to an equivalence margin."""

    kind: Literal["at_least"]
    published: PublishedValue
    margin: Annotated[float, Field(ge=0)]
    """How much worse than published still counts as reached, in the unit of the measure."""


class Claim(StrictModel):
    """One sentence of a paper, where it stands, and how it is tested."""

    claim: Name
    sentence: str
    """The claim in our words, with the paper's numbers."""
    source: str
    """Table or section of the paper."""
    test: Annotated[BetterThan | AtLeast, Field(discriminator="kind")]


class ClaimFile(StrictModel):
    """The claims of one paper; published numbers are in the CSV of the same stem."""

    claims_of: Name
    paper: Paper
    claims: Annotated[list[Claim], Field(min_length=1)]

    @model_validator(mode="after")
    def _distinct(self) -> ClaimFile:
        names = [claim.claim for claim in self.claims]
        if len(set(names)) != len(names):
            raise ValueError(f"claim names that differ, found {names}")
        return self
