"""Slices without labels as samples of pre-training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch.utils.data import Dataset

from mmseg_ext.data.intensity import to_unit
from mmseg_ext.engine.augment import generator
from mmseg_ext.engine.dataset import CACHE_BYTES, cases_of, intensity_columns, prepared_datasets
from mmseg_ext.engine.fit import fit_to
from mmseg_ext.registry import DATASETS, FUNCTIONS, VIEWS
from mmseg_ext.superpixels.store import read_ids


@DATASETS.register_module()
class UnlabelledSlices(Dataset):
    """Views of slices, fitted to the input size. Labels are never read.

    An index is a pair (epoch, item), and what it gives depends on nothing else, as in `PreparedSlices`.

    Args:
        prepared: Folder of each prepared data set by name.
        subset_file: Table of the cases: columns dataset, case, patient, subset; its `train` rows are used.
        image_size: Height and width of the network's input.
        fit: `pad` or `resize`, see `mmseg_ext.engine.fit`.
        views: Config of what is drawn from a slice, see `mmseg_ext.pretraining.views`.
        seed: Seed of all randomness.
        superpixels: Folder of the superpixel maps of each data set by name, if views need maps made beforehand.
        cache_bytes: Memory for decoded slices, in bytes.

    Raises:
        InputError: If a map is missing, has not the size of its image, holds a 0, or one superpixel only.
    """

    def __init__(
        self,
        prepared: Mapping[str, str],
        subset_file: str,
        image_size: Sequence[int],
        fit: str,
        views: Mapping[str, Any],
        seed: int,
        superpixels: Mapping[str, str] | None = None,
        cache_bytes: int = CACHE_BYTES,
    ) -> None:
        self.size = (int(image_size[0]), int(image_size[1]))
        self.rule = fit
        self.seed = seed
        self.views = VIEWS.build(dict(views))
        self.superpixels = {name: Path(folder) for name, folder in (superpixels or {}).items()}
        self._free = cache_bytes
        self._cache: dict[int, tuple[np.ndarray, dict[str, np.ndarray]]] = {}
        self._prepared = prepared_datasets(prepared)
        self._intensity = {name: intensity_columns(data) for name, data in self._prepared.items()}
        cases = cases_of(pd.read_csv(subset_file, dtype=str), "train", self._prepared, Path(subset_file))
        self.samples = [(case.dataset, sample) for case in cases for sample in case.samples]
        self.position = np.concatenate([_positions(len(case.samples)) for case in cases])

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, index: tuple[int, int]) -> dict[str, np.ndarray]:
        """Return `item`, `position` and what the views give: `views` (V, H, W, C) float32 and maps."""
        epoch, item = index
        rng = generator(self.seed, epoch, item)
        image, maps = self._read(item)
        found = self.views(rng, image, maps, lambda source: self._neighbour(source, item))
        return {"item": np.int64(item), "position": np.float32(self.position[item]), **found}

    def _neighbour(self, rng: np.random.Generator, item: int) -> np.ndarray:
        """Return the slice before or after an item in its volume; the item itself if it has no neighbour."""
        step = 1 if rng.random() < 0.5 else -1
        # Positions rise by one slice within a volume, and fall back where the next one begins.
        order = [place for place in (item + step, item - step) if self._adjacent(item, place)]
        return self._read(order[0] if order else item)[0]

    def _adjacent(self, item: int, place: int) -> bool:
        if not 0 <= place < len(self):
            return False
        return bool((self.position[place] - self.position[item]) * (place - item) > 0)

    def _read(self, item: int) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Return the image (H, W, C) of an item in [0, 1] and its maps (H, W), at the input size."""
        if item in self._cache:
            return self._cache[item]
        dataset, sample = self.samples[item]
        stored = self._prepared[dataset].image(sample)
        fit = fit_to(stored.shape[:2], self.size, self.rule)
        image = fit.place(to_unit(fit.scale(stored), *self._intensity[dataset][sample])).reshape(*self.size, -1)
        maps = {}
        if self.superpixels:
            ids = read_ids(self.superpixels[dataset] / f"{sample}.png", stored.shape[:2])
            # OpenCV does not resize integers of 32 bits.
            maps["superpixels"] = fit.place(fit.scale_labels(ids.astype(np.uint16)))
        size = image.nbytes + sum(one.nbytes for one in maps.values())
        if size <= self._free:
            self._free -= size
            self._cache[item] = (image, maps)
        return image, maps


def _positions(slices: int) -> np.ndarray:
    """Return the index of each slice from 1 on over the number of slices; not a number for a lone image."""
    return np.arange(1, slices + 1) / slices if slices > 1 else np.array([np.nan])


@FUNCTIONS.register_module()
def stack_views(samples: Sequence[Mapping[str, np.ndarray]]) -> dict[str, Any]:
    """Return a batch as `mmseg_ext.pretraining.frame.Pretrainer` takes it."""
    views = torch.from_numpy(np.stack([sample["views"] for sample in samples], axis=1)).permute(0, 1, 4, 2, 3)
    other = {
        "item": torch.tensor([int(sample["item"]) for sample in samples]),
        "position": torch.tensor([float(sample["position"]) for sample in samples], dtype=torch.float32),
    }
    if "superpixels" in samples[0]:
        ids = np.stack([sample["superpixels"] for sample in samples], axis=1)
        other["superpixels"] = torch.from_numpy(ids.astype(np.int64))
    return {"inputs": views, "data_samples": other}
