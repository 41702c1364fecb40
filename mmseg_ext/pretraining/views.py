"""What an objective sees of a slice: its views, and maps that belong to them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from mmseg_ext.pretraining.intensity_views import IntensityChange
from mmseg_ext.pretraining.spatial_views import SpatialChange
from mmseg_ext.registry import VIEWS
from mmseg_ext.suite.superpixel_recipe import read_recipe, suited
from mmseg_ext.superpixels.algorithms import superpixels

Neighbour = Callable[[np.random.Generator], np.ndarray]
"""Returns a slice (H, W, C) next to the one that is asked about, drawn from both sides."""


@VIEWS.register_module()
class SpatialViews:
    """Views that differ in place and shape: the default of SuperCL's comparison, without any change of intensity.

    Args:
        count: How many.
        spatial: Fields of `SpatialChange`.
    """

    def __init__(self, count: int = 2, spatial: Mapping[str, Any] | None = None) -> None:
        self.count = count
        self.spatial = SpatialChange(**(spatial or {}))

    def __call__(
        self, rng: np.random.Generator, image: np.ndarray, maps: Mapping[str, np.ndarray], neighbour: Neighbour
    ) -> dict[str, np.ndarray]:
        """Return `views` (V, H, W, C) float32, and further arrays an objective asks for.

        Args:
            rng: Source of all randomness.
            image: (H, W, C) float32 in [0, 1], at the input size.
            maps: Integer maps (H, W) that belong to the image, by name.
            neighbour: Gives a neighbouring slice, like `image`.
        """
        return {"views": np.stack([self.spatial(rng, [image])[0] for _ in range(self.count)])}


@VIEWS.register_module()
class NeighbourViews(SpatialViews):
    """Two views of a slice and one of a slice next to it."""

    def __call__(
        self, rng: np.random.Generator, image: np.ndarray, maps: Mapping[str, np.ndarray], neighbour: Neighbour
    ) -> dict[str, np.ndarray]:
        """Return `views` (3, H, W, C); arguments as in `SpatialViews`."""
        return {"views": np.stack([self.spatial(rng, [each])[0] for each in (image, image, neighbour(rng))])}


@VIEWS.register_module()
class DistortedViews(SpatialViews):
    """Two views changed in intensity after their place and shape, and the same two unchanged in intensity.

    Args:
        intensity: Fields of `IntensityChange`.
        **kwargs: Those of `SpatialViews`.
    """

    def __init__(self, intensity: Mapping[str, Any] | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.intensity = IntensityChange(**(intensity or {}))

    def __call__(
        self, rng: np.random.Generator, image: np.ndarray, maps: Mapping[str, np.ndarray], neighbour: Neighbour
    ) -> dict[str, np.ndarray]:
        """Return `views` (4, H, W, C), the two clean ones last; arguments as in `SpatialViews`."""
        clean = [self.spatial(rng, [image])[0] for _ in range(2)]
        return {"views": np.stack([*(self.intensity(rng, each) for each in clean), *clean])}


@VIEWS.register_module()
class SuperpixelViews(DistortedViews):
    """SuperCL's four views: two changed in intensity, and the same two changed in place and shape besides.

    Args:
        recipe: Superpixel recipe by which each of the first two is divided, as the released code does for every
            sample of every epoch. Without one the map `superpixels` of the slice serves both: it was computed once.
        **kwargs: Those of `DistortedViews`.

    Raises:
        InputError: If the recipe is not valid.
    """

    def __init__(self, recipe: Mapping[str, Any] | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.recipe = None if recipe is None else read_recipe(dict(recipe), "views")

    def __call__(
        self, rng: np.random.Generator, image: np.ndarray, maps: Mapping[str, np.ndarray], neighbour: Neighbour
    ) -> dict[str, np.ndarray]:
        """Return `views` (4, H, W, C) and `superpixels` (2, H, W) of the first two; arguments as in `SpatialViews`."""
        flat = [self.intensity(rng, image) for _ in range(2)]
        moved = [self.spatial(rng, [each])[0] for each in flat]
        if self.recipe is None:
            ids = np.stack([maps["superpixels"]] * 2)
        else:
            recipe = suited(self.recipe, image.shape[2])
            ids = np.stack([superpixels(each[..., 0] if each.shape[2] == 1 else each, recipe) for each in flat])
        return {"views": np.stack([*flat, *moved]), "superpixels": ids}
