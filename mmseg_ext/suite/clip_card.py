"""The card of a CLIP: where it comes from, how names become prompts, how it divides images into regions."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator

from mmseg_ext.suite.dataset_card import Name
from mmseg_ext.suite.loading import StrictModel
from mmseg_ext.suite.track import Paper


class TrainedClip(StrictModel):
    """A mini-CLIP that the workflow trains itself on close-ups of phantom objects."""

    source: Literal["trained"]
    captions: Literal["all", "seen"]
    """Whether captions name all classes of the task, or only those that are annotated in training. With `all` the names
    have leaked, as into any published CLIP; with `seen` unseen names are new combinations of known words."""
    images: Annotated[int, Field(ge=64)]
    """Close-ups drawn."""
    steps: Annotated[int, Field(ge=1)]
    batch_size: Annotated[int, Field(ge=2)] = 64
    seed: Annotated[int, Field(ge=0)] = 0


class ImportedClip(StrictModel):
    """A published CLIP in the form of `transformers`."""

    source: Literal["imported"]
    model: str
    """Name on the Hugging Face hub, or a folder on this machine."""
    width: Annotated[int, Field(ge=1)]
    """Channels of its joint space; another width is an error."""


class RegionSetting(StrictModel):
    """How an image is divided into regions: section 1.4 of Split Matching's dossier, inferred but for seeds and fusion.

    Tokens are clustered by k-means that starts from the means of windows of several sizes, and clusters whose centres
    are alike are fused.
    """

    tokens: Annotated[int, Field(ge=4)] = 32
    """Tokens along the longer side of an image, which is resized for that."""
    windows: Annotated[list[Annotated[int, Field(ge=1)]], Field(min_length=1)] = [8, 16, 32]
    """Sides of the windows in tokens; a larger one than the image covers all of it."""
    iterations: Annotated[int, Field(ge=1)] = 10
    """Iterations of k-means."""
    merge: Annotated[float, Field(gt=-1, le=1)] = 0.8
    """Cosine between centres from which on clusters are fused."""
    readout: Literal["value", "cls_residual"] = "value"
    """Dense features of the CLIP."""
    centre: bool = True
    """Whether the mean over the image is subtracted from its features first."""
    least_share: Annotated[float, Field(ge=0, lt=1)] = 0.005
    """Regions that cover less of the image are given to the nearest other one."""
    most: Annotated[int, Field(ge=1, le=255)] = 50
    """Regions of one image at most; the smallest ones go first."""
    context: Annotated[float, Field(ge=0)] = 0.1
    """Margin around a region when CLIP looks at it, as a share of its box."""


class ClipCard(StrictModel):
    """One CLIP."""

    clip: Name
    title: str
    paper: Paper
    notes: str = ""
    weights: Annotated[TrainedClip | ImportedClip, Field(discriminator="source")]
    templates: Annotated[list[str], Field(min_length=1)]
    """Prompts with `{}` where a class name goes; embeddings of a name are averaged over them."""
    regions: RegionSetting = RegionSetting()

    @field_validator("templates")
    @classmethod
    def _have_a_place(cls, templates: list[str]) -> list[str]:
        for template in templates:
            if template.count("{}") != 1:
                raise ValueError(f"one {{}} in every template, found {template!r}")
        return templates
