"""SimTriplet."""

from __future__ import annotations

from mmseg_ext.pretraining.simsiam import SimSiam
from mmseg_ext.registry import MODELS


@MODELS.register_module()
class SimTriplet(SimSiam):
    """SimSiam between two views of a slice, and between the first and a slice beside it (Liu et al., MICCAI 2021).

    The original's neighbour is an adjacent tile of a pathology image; here it is the slice before or after in the same
    volume (ours). An image that is no slice is its own neighbour.
    """

    views = 3
