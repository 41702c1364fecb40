"""Label-noise families: how true masks are changed before training sees them.

Lengths are in pixels of the stored image.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from mmseg_ext.suite.loading import StrictModel

Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]


class _Noise(StrictModel):
    seed: Annotated[int, Field(ge=0)] = 0
    """Seed of the changes; with it and its name, what becomes of an image is fixed."""


class RatioNoise(_Noise):
    """A share of the images dilated, eroded or moved by a share of their area (SP-guided, MICCAI 2021; T-Loss)."""

    family: Literal["ratio"]
    images: Annotated[float, Field(gt=0, le=1)]
    """Share of the images that is changed (alpha)."""
    area: Annotated[float, Field(gt=0, lt=1)]
    """Change of area, or symmetric difference, as a share of the true area (beta)."""


class MarkovNoise(_Noise):
    """A border that walks at random and, unless `grow` is one half, with a bias (Yao et al., ICLR 2023)."""

    family: Literal["markov"]
    steps: Annotated[int, Field(ge=1)]
    """T: steps of the walk; the mean shift is steps * flip * (2 grow - 1) pixels."""
    grow: Share
    """theta_1: probability that a step grows the mask instead of shrinking it."""
    flip: Share = 0.05
    """theta_2: probability that a pixel next to the border changes in a step."""
    sprinkle: Share = 0.2
    """theta_3: probability that any pixel changes at the end, before smoothing."""


class DistanceBandNoise(_Noise):
    """Grown or shrunk, at even chances, by a distance drawn uniformly (DE of Yao et al., ICLR 2023)."""

    family: Literal["distance_band"]
    low: Positive
    high: Positive

    @model_validator(mode="after")
    def _ordered(self) -> DistanceBandNoise:
        if self.low > self.high:
            raise ValueError(f"low <= high, found low {self.low} and high {self.high}")
        return self


class PolygonNoise(_Noise):
    """Coarse outlines: every object becomes a polygon with few corners on its border."""

    family: Literal["polygon"]
    vertices: Annotated[int, Field(ge=3)]


class ElasticNoise(_Noise):
    """The mask bent by a Gaussian-smoothed random displacement."""

    family: Literal["elastic"]
    shift: Positive
    """Standard deviation of the displacement along each axis."""
    smoothness: Positive
    """Sigma of the Gaussian."""


class FuzzyNoise(_Noise):
    """The border moved by a smooth Gaussian process whose deviation is `kappa` times the image's blur there."""

    family: Literal["fuzzy"]
    kappa: Positive
    length: Positive = 8.0
    """Sigma of the Gaussian that smooths the process."""


class UniformNoise(_Noise):
    """Control of `fuzzy`: the same process with one deviation all along the border, and the same Dice to the truth."""

    family: Literal["uniform"]
    kappa: Positive
    length: Positive = 8.0


LabelNoise = Annotated[
    RatioNoise | MarkovNoise | DistanceBandNoise | PolygonNoise | ElasticNoise | FuzzyNoise | UniformNoise,
    Field(discriminator="family"),
]


class NoisyLabels(StrictModel):
    """What the stage `label_noise` makes for one data set."""

    noise: LabelNoise
    subsets: Annotated[list[Literal["train", "val", "test"]], Field(min_length=1)]
    """Subsets of the data set that a task trains or validates on; only their labels change."""

    @property
    def settings(self) -> dict[str, Any]:
        """Everything that determines the labels, but for data and code."""
        return self.model_dump(mode="json")
