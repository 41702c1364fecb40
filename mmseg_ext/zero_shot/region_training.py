"""Plain training whose samples carry region maps and region embeddings."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.optim import OptimWrapper
from torch import Tensor, nn
from torch.utils.data import Dataset

from mmseg_ext.noise_robust.paradigm import PlainTraining
from mmseg_ext.registry import PARADIGMS
from mmseg_ext.suite.errors import InputError

_HINT = "Run the stage `regions`."


@PARADIGMS.register_module()
class RegionTraining(PlainTraining):
    """Pass `labels`, `regions` and `embeddings` as one dictionary in the place of the labels, see docs/zero_shot.md.

    Args:
        embeddings: Folder of `<sample>.npy`, (U, D) rows by region id from 1, of each data set by name.
    """

    def __init__(self, embeddings: Mapping[str, str]) -> None:
        self._folders = {name: Path(folder) for name, folder in embeddings.items()}
        self._samples: list[tuple[str, str]] = []
        self._width = 0
        self._rows: dict[int, Tensor] = {}

    def start(self, model: nn.Module, dataset: Dataset, max_iters: int) -> None:
        """Remember which sample each item is, and the width of the class names."""
        self._samples = dataset.samples
        self._width = model.decode_head.text.width

    def step(self, model: nn.Module, batch: dict[str, Any], optim_wrapper: OptimWrapper) -> dict[str, Tensor]:
        """Make one optimiser step; `batch` holds `regions` (N, H, W), which follows the labels.

        Raises:
            InputError: If embeddings are missing, fewer than the regions of their map, or of another width than the
                class names.
        """
        embeddings = [self._embeddings(item) for item in batch["item"].tolist()]
        for item, ids, rows in zip(batch["item"].tolist(), batch["regions"], embeddings, strict=True):
            if (largest := int(ids.max())) > len(rows):
                expected = f"one for each of at least {largest} regions of the image's map"
                raise InputError(self._file(item), "embeddings", len(rows), expected, _HINT)
        samples = {"labels": batch["data_samples"], "regions": batch["regions"], "embeddings": embeddings}
        found: dict[str, Tensor] = model.train_step(
            {"inputs": batch["inputs"], "data_samples": samples}, optim_wrapper=optim_wrapper
        )
        return found

    def _embeddings(self, item: int) -> Tensor:
        if item not in self._rows:
            file = self._file(item)
            if not file.is_file():
                raise InputError(file, "file", "nothing", "embeddings of an image's regions", _HINT)
            rows = np.load(file, allow_pickle=False)
            if rows.ndim != 2 or rows.shape[1] != self._width:
                raise InputError(file, "shape", rows.shape, f"rows of the class names' width, {self._width}", _HINT)
            self._rows[item] = torch.from_numpy(rows)
        return self._rows[item]

    def _file(self, item: int) -> Path:
        dataset, sample = self._samples[item]
        return self._folders[dataset] / f"{sample}.npy"
