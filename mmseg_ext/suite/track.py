"""The track (experiments of one paper), its conditions, and the protocol."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

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
    clip: Name | None = None
    """The CLIP that methods start from, by the stem of its card; none: only methods without one."""
    all_annotated: bool = False
    """Whether a task's unseen classes are annotated and named in training all the same: what could be had at best."""
    dropped_annotations: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Share of the annotated regions, one a class and training image, that become unannotated; a control for methods
    that live on "not annotated means unseen"."""
    label_list: Name | None = None
    """Published list of the training patients whose labels are used: `configs/splits/<dataset>/<label_list>.csv`. Its
    one column is patient or position, as in a split file. Every training data set needs one."""

    @model_validator(mode="after")
    def _one_choice(self) -> Self:
        if self.label_list is not None and self.label_fraction < 1:
            raise ValueError("either label_fraction or label_list, and not both")
        return self


class Track(StrictModel):
    """Conditions and question of one paper's experiments."""

    track: Name
    title: str
    paper: Paper
    question: str
    conditions: Annotated[dict[Name, Condition], Field(min_length=1)]

    @property
    def has_label_noise(self) -> bool:
        """Whether some condition changes labels; what that does is then measured for all of the track's runs."""
        return any(condition.label_noise is not None for condition in self.conditions.values())


Selection = Literal["last", "best_val", "best_test"]
Inference = Literal["plain", "flip", "resized_labels", "gamma_0p1"]
Scoring = Literal[
    "strict",
    "hiperformer",
    "supercl",
    "dale",
]
"""The keys of `mmseg_ext.evaluation.scoring.SCORING`, repeated here so that a wrong name stops before any job."""


class Protocol(StrictModel):
    """How a checkpoint is chosen, how images are predicted, how predictions are scored."""

    protocol: Name
    title: str
    paper: Name | None = None
    """Paper whose released evaluator is repeated with its quirks, by the stem of its claims; none: ours."""
    selection: Selection
    """Which checkpoint: the last iteration, the best macro DSC on the validation set, or, under a paper's protocol
    only, the best macro DSC on the test set; no ranking uses the latter."""
    inference: Inference
    """`plain`: one forward pass at the input size; `flip`: mean over the two horizontal mirror images;
    `resized_labels`: classes decided at the input size and brought to native size by nearest neighbours;
    `gamma_0p1`: 0.1 subtracted from the scores of seen classes before the decision."""
    scoring: Scoring
    """Scoring rules of `mmseg_ext.evaluation`, described in METHODOLOGY.md."""
    pooled: bool = False
    """Also report DSC and IoU of the pixels of all cases together."""

    @model_validator(mode="after")
    def _test_set_only_for_papers(self) -> Protocol:
        if self.chosen_on_test and self.paper is None:
            raise ValueError("selection best_test only together with the paper that did so, in `paper`")
        return self

    @property
    def variant(self) -> str:
        """Name of the predictions this protocol scores."""
        return f"{self.selection}_{self.inference}"

    @property
    def chosen_on_test(self) -> bool:
        """Whether its numbers are too good, because the test set chose the checkpoint."""
        return self.selection == "best_test"


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
