"""Slices of prepared data sets as training samples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from torch.utils.data import Dataset

from mmseg_ext.data.intensity import to_unit
from mmseg_ext.data.prepared import IGNORED, Case, PreparedDataset, read_map
from mmseg_ext.engine.augment import generator
from mmseg_ext.engine.fit import fit_to
from mmseg_ext.registry import DATASETS, FUNCTIONS, TRANSFORMS
from mmseg_ext.suite.errors import InputError
from mmseg_ext.suite.files import hash_value

CACHE_BYTES = 2**30
"""Decoded slices are kept in memory up to this size; further ones are read from disk each time."""


def read_subset(path: Path) -> pd.DataFrame:
    """Read the cases of a run: columns dataset, case, patient, subset.

    Raises:
        InputError: If a column is missing, a subset has another name than train, val or test, or no case is for
            training or none for testing.
    """
    table = pd.read_csv(path, dtype=str)
    expected = ["dataset", "case", "patient", "subset"]
    if list(table.columns) != expected:
        raise InputError(path, "columns", list(table.columns), f"the columns {expected}")
    strange = set(table["subset"]) - {"train", "val", "test"}
    if strange:
        raise InputError(path, "subset", sorted(strange)[0], "train, val or test")
    for subset in ("train", "test"):
        if not (table["subset"] == subset).any():
            raise InputError(path, "subset", f"no {subset} case", f"at least one {subset} case")
    return table


def cases_of(table: pd.DataFrame, subset: str, prepared: Mapping[str, PreparedDataset], file: Path) -> list[Case]:
    """Return the cases of one subset of a run, in the order of the table.

    Raises:
        InputError: If a case is not in the prepared data.
    """
    found = []
    for row in table[table["subset"] == subset].itertuples(index=False):
        if row.dataset not in prepared or row.case not in prepared[row.dataset].cases:
            raise InputError(file, "case", f"{row.dataset}/{row.case}", "a case of the prepared data")
        found.append(prepared[row.dataset].cases[row.case])
    return found


def intensity_columns(prepared: PreparedDataset) -> dict[str, tuple[float, float, float, float]]:
    """Return slope, intercept, low and high of every sample of a data set."""
    table = prepared.samples
    values = table[["slope", "intercept", "low", "high"]].to_numpy(float)
    return {sample: tuple(row) for sample, row in zip(table["sample"], values.tolist(), strict=True)}


def texts_of(prepared: PreparedDataset) -> dict[str, str]:
    """Return the text of every sample of a data set, empty where it has none."""
    return dict(zip(prepared.samples["sample"], prepared.samples["text"], strict=True))


@DATASETS.register_module()
class PreparedSlices(Dataset):
    """Training slices, fitted to the input size and augmented.

    An index is a pair (epoch, item); what it gives depends on nothing else, so any number of workers, and a run
    continued after a kill, see the same samples.

    Args:
        prepared: Folder of each prepared data set by name.
        subset_file: Table of the run's cases; its `train` rows are used.
        image_size: Height and width of the network's input.
        fit: `pad` or `resize`, see `mmseg_ext.engine.fit`.
        augmentation: Config of what changes a sample; without a type, the fields of `Augmentation`.
        seed: Seed of the augmentation.
        labels: Folders of label maps that stand in for those of some data sets, by name.
        unannotated: Class ids that become `IGNORED` as soon as a label is read.
        dropped_annotations: Share of the annotated regions, one a class and image, that become `IGNORED` too; which
            ones depends on the seed.
        follow: Further integer maps that go through the transforms of the label: by the name they get in a sample, the
            folder of `<sample>.png` (8 or 16 bits, the size of the image) of each data set by name.
        coordinates: Whether a sample has maps `row` and `column` that say where its pixels come from: counted from 1
            in the image as it lies inside the input before any change; 0 where there is no image.
        text: Whether a sample has its `text`, as the table of the prepared data says it.
        cache_bytes: Memory for decoded slices, in bytes.

    Raises:
        InputError: If a map is missing or has not the size of its image, or if texts are asked for and a data set has
            none.
    """

    def __init__(
        self,
        prepared: Mapping[str, str],
        subset_file: str,
        image_size: Sequence[int],
        fit: str,
        augmentation: Mapping[str, Any],
        seed: int,
        labels: Mapping[str, str] | None = None,
        unannotated: Sequence[int] = (),
        follow: Mapping[str, Mapping[str, str]] | None = None,
        coordinates: bool = False,
        text: bool = False,
        cache_bytes: int = CACHE_BYTES,
        dropped_annotations: float = 0.0,
    ) -> None:
        self.size = (int(image_size[0]), int(image_size[1]))
        self.rule = fit
        self.augmentation = TRANSFORMS.build({"type": "Augmentation", **augmentation})
        self.seed = seed
        self.follow = {
            name: {dataset: Path(folder) for dataset, folder in folders.items()}
            for name, folders in (follow or {}).items()
        }
        self._places = ["row", "column"] if coordinates else []
        self._unannotated = list(unannotated)
        self._dropped = dropped_annotations
        self._free = cache_bytes
        self._cache: dict[int, tuple[np.ndarray, list[np.ndarray]]] = {}
        self._prepared = prepared_datasets(prepared, labels)
        self._intensity = {name: intensity_columns(data) for name, data in self._prepared.items()}
        self._texts = {name: texts_of(data) for name, data in self._prepared.items()} if text else None
        for name, texts in (self._texts or {}).items():
            if not any(texts.values()):
                file = self._prepared[name].root / "samples.csv"
                raise InputError(file, "text", "nothing in any row", "a text about each image, which the method reads")
        cases = cases_of(read_subset(Path(subset_file)), "train", self._prepared, Path(subset_file))
        self.samples = [(case.dataset, sample) for case in cases for sample in case.samples]

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, index: tuple[int, int]) -> dict[str, Any]:
        """Return `item`, `image` (H, W, C) float32, `label` (H, W) uint8 and the maps that follow, at input size.

        Where texts were asked for, `text` too.
        """
        epoch, item = index
        dataset, sample = self.samples[item]
        stored, maps = self._read(item)
        unit = to_unit(stored, *self._intensity[dataset][sample])
        image, moved = self.augmentation(generator(self.seed, epoch, item), unit, maps, self.size)
        # What surrounds the image is 0 in every map, which is no class where the background is not annotated.
        if 0 in self._unannotated:
            moved[0][moved[0] == 0] = IGNORED
        found = dict(zip(["label", *self.follow, *self._places], moved, strict=True))
        if self._texts is not None:
            found["text"] = self._texts[dataset][sample]
        return {"item": np.int64(item), "image": image.reshape(*self.size, -1), **found}

    def _read(self, item: int) -> tuple[np.ndarray, list[np.ndarray]]:
        """Return image, and label and other maps of an item, scaled to lie inside the input, in their stored types."""
        if item in self._cache:
            return self._cache[item]
        dataset, sample = self.samples[item]
        data = self._prepared[dataset]
        stored, label = data.image(sample), data.label(sample)
        # Before anything can look at the label.
        label[np.isin(label, self._unannotated)] = IGNORED
        if self._dropped:
            drop_annotations(label, self._dropped, [self.seed, dataset, sample])
        fit = fit_to(stored.shape[:2], self.size, self.rule)
        maps = [label, *(self._followed(name, dataset, sample, label.shape) for name in self.follow)]
        scaled = [fit.scale_labels(one) for one in maps]
        if self._places:
            scaled += [np.ascontiguousarray(one.astype(np.uint16)) for one in np.indices(fit.scaled) + 1]
        decoded = (np.ascontiguousarray(fit.scale(stored)), scaled)
        size = decoded[0].nbytes + sum(one.nbytes for one in decoded[1])
        if size <= self._free:
            self._free -= size
            self._cache[item] = decoded
        return decoded

    def _followed(self, name: str, dataset: str, sample: str, shape: tuple[int, ...]) -> np.ndarray:
        file = self.follow[name][dataset] / f"{sample}.png"
        found = read_map(file)
        if found.shape != shape:
            raise InputError(file, "size", found.shape, f"{shape}, the size of its image")
        return found


def drop_annotations(label: np.ndarray, share: float, key: list[Any]) -> None:
    """Set each class of a label map to `IGNORED` with probability `share`, in place; `key` decides which."""
    rng = np.random.Generator(np.random.PCG64(int(hash_value(key)[:16], 16)))
    for class_id in np.unique(label[label != IGNORED]):
        if rng.random() < share:
            label[label == class_id] = IGNORED


def prepared_datasets(
    prepared: Mapping[str, str], labels: Mapping[str, str] | None = None
) -> dict[str, PreparedDataset]:
    """Return prepared data sets by name, some with other labels than their own; arguments as in `PreparedSlices`."""
    other = {name: Path(folder) for name, folder in (labels or {}).items()}
    return {name: PreparedDataset(Path(folder), other.get(name)) for name, folder in prepared.items()}


@FUNCTIONS.register_module()
def stack_samples(samples: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return a batch.

    `inputs` (N, C, H, W) float32, channels last in memory; `data_samples` (N, H, W) int64; `item` (N,) int64, the
    places of the samples in the data set; every map that follows the label, by name, (N, H, W) int64; and `text`, a
    list, where samples have one.
    """
    others = [name for name in samples[0] if name not in ("image", "label", "text")]
    texts = {"text": [sample["text"] for sample in samples]} if "text" in samples[0] else {}
    return {
        "inputs": to_input([sample["image"] for sample in samples]),
        "data_samples": _stack(samples, "label"),
        **{name: _stack(samples, name) for name in others},
        **texts,
    }


def _stack(samples: Sequence[Mapping[str, np.ndarray]], name: str) -> Tensor:
    return torch.from_numpy(np.stack([sample[name] for sample in samples])).long()


def to_input(images: Sequence[np.ndarray]) -> Tensor:
    """Return images (H, W, C) as one tensor (N, C, H, W), channels last in memory."""
    return torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2)
