"""The track (experiments of one paper), its conditions, and the protocol."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from mmseg_ext.suite.dataset_card import Name
from mmseg_ext.suite.label_noise import LabelNoise
from mmseg_ext.suite.loading import StrictModel


class Paper(StrictModel):
    """A publication."""

    title: str
    arxiv: str | None = None
    doi: str | None = None
    url: str | None = None


class Condition(StrictModel):
    """What varies inside a track."""

    title: str
    label_fraction: Annotated[float, Field(gt=0, le=1)] = 1.0
    """Share of the training patients whose labels are used; smaller shares are subsets of larger ones."""
    label_noise: LabelNoise | None = None
    """How the labels of training and validation are changed; the truth stays for testing."""


class Track(StrictModel):
    """Conditions and question of one paper's experiments."""

    track: Name
    title: str
    paper: Paper
    question: str
    conditions: Annotated[dict[Name, Condition], Field(min_length=1)]


class Protocol(StrictModel):
    """How a checkpoint is chosen, how images are predicted, how predictions are scored."""

    protocol: Name
    title: str
    selection: Literal["last", "best_val"]
    """Which checkpoint: the last iteration, or the best macro DSC on the validation set."""
    inference: Literal["plain", "flip"]
    """`plain`: one forward pass at the input size; `flip`: mean over the two horizontal mirror images."""
    scoring: Literal["strict"]
    """Scoring rules of `mmseg_ext.evaluation`, described in METHODOLOGY.md."""

    @property
    def variant(self) -> str:
        """Name of the predictions this protocol scores."""
        return f"{self.selection}_{self.inference}"


class MethodCard(StrictModel):
    """What a method is, beside its MMEngine config of the same stem."""

    method: Name
    title: str
    """Name in tables and figures."""
    paper: Paper
    origin: str
    """Where the implementation comes from: the library it is taken from, or `this project`."""
    size: Literal["published", "tiny"]
    notes: str = ""
    """What a reader must know: deviations, pre-training, extra data."""
