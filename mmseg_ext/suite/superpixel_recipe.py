"""The superpixel recipe: which algorithm divides an image, with which settings."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from mmseg_ext.suite.files import hash_value
from mmseg_ext.suite.loading import StrictModel, parse

MULTI_CHANNEL = 1
"""Channel that stands for all where an image is neither grey nor RGB; SuperCL divides the second modality of BraTS."""
Segments = Annotated[int, Field(ge=10, le=65535)]
Positive = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(ge=1)]


class _Recipe(StrictModel):
    """What all recipes share."""

    channel: Annotated[int, Field(ge=0)] | Literal["all", "grey"] = "all"
    """`all`: grey images as they are, RGB in colour; `grey`: RGB turned to grey; a number: this channel alone."""

    @property
    def id(self) -> str:
        """Name for folders: the algorithm and a hash of every setting."""
        settings = self.model_dump(mode="json")
        return f"{settings['algorithm']}_{hash_value(settings)[:8]}"


class SlicSkimage(_Recipe):
    """SLIC of scikit-image as SuperCL's released code calls it: a grey image as three equal channels, in CIELAB."""

    algorithm: Literal["slic_skimage"]
    segments: Segments = 100
    """Superpixels wanted; usually somewhat fewer come out."""
    compactness: Positive = 10.0
    """Weight of nearness against likeness in colour, on the scale of CIELAB (lightness 0 to 100)."""
    iterations: Count = 10


class SlicOpencv(_Recipe):
    """SLIC of OpenCV in CIELAB, with the meaning of `compactness` of `slic_skimage`; several times faster."""

    algorithm: Literal["slic_opencv"]
    segments: Segments = 100
    compactness: Positive = 10.0
    iterations: Count = 5
    """Half of SLIC's usual ten, at about the same quality (docs/superpixels.md)."""


class Lsc(_Recipe):
    """Linear spectral clustering (Li and Chen, CVPR 2015), of OpenCV."""

    algorithm: Literal["lsc"]
    segments: Segments = 100
    ratio: Positive = 0.075
    """Weight of nearness against likeness in colour."""
    iterations: Count = 10
    sigma: Annotated[float, Field(ge=0)] = 1.0
    """Gaussian smoothing beforehand, in pixels; without any, noise frays the borders."""


class Seeds(_Recipe):
    """Superpixels extracted via energy-driven sampling (Van den Bergh et al., IJCV 2015), of OpenCV."""

    algorithm: Literal["seeds"]
    segments: Segments = 100
    levels: Annotated[int, Field(ge=2, le=10)] = 3
    """Sizes of blocks that are exchanged; more levels leave fewer superpixels than wanted."""
    prior: Annotated[int, Field(ge=0, le=5)] = 1
    """Smoothness of the borders."""
    histogram_bins: Annotated[int, Field(ge=2)] = 5
    iterations: Count = 4


class Felzenszwalb(_Recipe):
    """Graph-based segmentation (Felzenszwalb and Huttenlocher, IJCV 2004), of scikit-image."""

    algorithm: Literal["felzenszwalb"]
    scale: Positive = 50.0
    """Larger values give fewer, larger segments; their number cannot be set."""
    sigma: Annotated[float, Field(ge=0)] = 0.8
    """Gaussian smoothing beforehand, in pixels."""
    min_size: Count = 50
    """Least number of pixels of a segment."""


SuperpixelRecipe = Annotated[
    SlicSkimage | SlicOpencv | Lsc | Seeds | Felzenszwalb,
    Field(discriminator="algorithm"),
]


class _Holder(StrictModel):
    recipe: SuperpixelRecipe


def read_recipe(value: dict[str, Any], file: str) -> SuperpixelRecipe:
    """Return the recipe that `value`, read from `file`, describes.

    Raises:
        InputError: For an unknown algorithm or key, or an impossible value.
    """
    return parse(_Holder, {"recipe": value}, file).recipe


def suited(recipe: SuperpixelRecipe, channels: int) -> SuperpixelRecipe:
    """Return a recipe for images of that many channels: one of several MRI channels stands for all."""
    if channels in (1, 3) or recipe.channel != "all":
        return recipe
    return recipe.model_copy(update={"channel": MULTI_CHANNEL})
