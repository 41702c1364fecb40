"""Standardisation of batched images on the device."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from mmengine.model import BaseDataPreprocessor

from mmseg_ext.registry import MODELS


@MODELS.register_module()
class UnitPreprocessor(BaseDataPreprocessor):
    """Move a batch to the device and standardise its images: `(x - mean) / std`.

    MMSegmentation's own preprocessor takes lists of images and of `SegDataSample`; packing and unpacking those took
    longer than the optimiser step of a small network, and all our inputs have one size.

    Args:
        mean: One value a channel, or one for all, in units of an image scaled to [0, 1].
        std: Likewise.
    """

    def __init__(self, mean: Sequence[float] = (0.5,), std: Sequence[float] = (0.25,)) -> None:
        super().__init__(non_blocking=True)
        self.register_buffer("mean", torch.tensor(mean, dtype=torch.float32).view(1, -1, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(std, dtype=torch.float32).view(1, -1, 1, 1), persistent=False)

    def forward(self, data: dict[str, Any], training: bool = False) -> dict[str, Any]:
        """Return the batch on the device, `inputs` (N, C, H, W) standardised; other entries keep their values."""
        data = self.cast_data(data)
        return {**data, "inputs": (data["inputs"].float() - self.mean) / self.std}
