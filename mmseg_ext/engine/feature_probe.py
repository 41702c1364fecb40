"""What an encoder's features know of the classes: a linear probe, and a picture, before and after pre-training.

A linear layer on frozen features (Alain and Bengio, arXiv:1610.01644) is fitted to labelled training pixels and scored
on validation slices. Features of a pixel are the values of all maps the encoder returns there, each enlarged
bilinearly, since a decoder gets them all. Labels are used here only: nothing of it flows back into the encoder.

Ours: which maps, the number of slices and pixels, the penalty. All is fixed: the same encoder gives the same numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmseg_ext.data.intensity import to_unit
from mmseg_ext.data.prepared import IGNORED, PreparedDataset
from mmseg_ext.engine.dataset import intensity_columns, to_input
from mmseg_ext.engine.fit import fit_to
from mmseg_ext.suite.files import replacing, write_json

LOOKED_AT, SLICES = 256, 32
"""Most slices of each subset whose labels are read, and most of those with foreground that are used; evenly spread."""
PIXELS = 256
"""Pixels drawn from each training slice."""
PENALTY = 1e-4
"""Weight of the squared weights of the linear layer."""
STEPS = 100
BATCH = 4
SHOWN, SHOWN_SIDE = 4, 96
"""Slices in the picture, and its pixels along a slice's longer side."""
RECORD, PICTURE = "probe.json", "features.npz"

Item = TypeVar("Item")
Encode = Callable[[Tensor], Sequence[Tensor]]
"""From images (N, C, H, W) in [0, 1] to maps (N, c, h, w) of any sizes."""


@dataclass(frozen=True)
class LabelledSlices:
    """Slices at the input size."""

    images: Tensor
    """(N, C, H, W) float32 in [0, 1]."""
    labels: np.ndarray
    """(N, H, W) uint8 class ids, IGNORED also where the slice does not reach."""


@dataclass(frozen=True)
class LinearLayer:
    """A linear layer on the channels of all maps in their order."""

    weight: Tensor
    """(classes, channels)."""
    bias: Tensor
    """(classes,)."""

    def logits(self, maps: Sequence[Tensor], size: tuple[int, int]) -> Tensor:
        """Return (N, classes, *size); enlarging and summing channels may change places, as both are linear."""
        total: Tensor | float = 0.0
        for part, found in zip(self.weight.split([one.shape[1] for one in maps], dim=1), maps, strict=True):
            total = total + _enlarged(F.conv2d(found, part[:, :, None, None]), size)
        return total + self.bias[:, None, None]


def write_probe(
    folder: Path,
    encoders: Mapping[str, nn.Module],
    preprocess: Callable[[dict[str, Tensor]], Mapping[str, Tensor]],
    prepared: Sequence[PreparedDataset],
    size: tuple[int, int],
    fit: str,
) -> None:
    """Probe encoders on the labels of prepared data sets and write `probe.json` and `features.npz`.

    Where the data sets have no labels to probe with (no training or validation slices with foreground, or data sets of
    different classes), `probe.json` says so and there is no picture.

    Args:
        folder: An existing folder.
        encoders: `before` and `after`; put into evaluation mode.
        preprocess: The data preprocessor they were trained behind.
        prepared: Data sets with the same number of channels.
        size: Height and width of the input.
        fit: `pad` or `resize`, see `mmseg_ext.engine.fit`.
    """
    classes = prepared[0].classes
    train, val = (labelled_slices(prepared, subset, size, fit) for subset in ("train", "val"))
    if train is None or val is None or any(data.classes != classes for data in prepared):
        write_json(folder / RECORD, {"measured": False})
        return
    shown = _shown(val)
    found, pictures = {}, {}
    for name, encoder in encoders.items():
        encoder.eval()

        def encode(images: Tensor, encoder: nn.Module = encoder) -> Sequence[Tensor]:
            return [each.float() for each in encoder(preprocess({"inputs": images})["inputs"])]

        with torch.no_grad():
            features, labels = sample_features(encode, train)
        layer = fit_linear(features, labels, len(classes))
        with torch.no_grad():
            found[name] = pooled_dsc(encode, layer, val, classes)
            pictures[name] = picture(encode, features, shown.images)
    record = {
        "measured": True,
        "slices": {"train": len(train.labels), "val": len(val.labels)},
        "pixels": len(labels),
        "features": features.shape[1],
        "dsc": {name: float(np.mean(list(scores.values()))) for name, scores in found.items()},
        "dsc_by_class": found,
    }
    write_json(folder / RECORD, record)
    grey = (255 * shown.images.mean(1)).round().to(torch.uint8).cpu().numpy()
    with replacing(folder / PICTURE) as part, part.open("wb") as file:
        np.savez_compressed(file, image=grey, label=shown.labels, **pictures)


def labelled_slices(
    prepared: Sequence[PreparedDataset], subset: str, size: tuple[int, int], fit: str
) -> LabelledSlices | None:
    """Return slices of a subset that hold foreground; None without any."""
    listed = []
    for data in prepared:
        cases = data.splits.loc[data.splits["subset"] == subset, "case"]
        listed += [(data, sample) for case in cases for sample in data.cases[case].samples]
    found = []
    # Of a large data set not every label needs to be looked at.
    for data, sample in _spread(listed, LOOKED_AT):
        label = data.label(sample)
        if ((label > 0) & (label != IGNORED)).any():
            found.append((data, sample))
    if not found:
        return None
    columns = {data.name: intensity_columns(data) for data in prepared}
    images, maps = [], []
    for data, sample in _spread(found, SLICES):
        stored, label = data.image(sample), data.label(sample)
        place = fit_to(stored.shape[:2], size, fit)
        image = place.place(to_unit(place.scale(stored), *columns[data.name][sample]))
        images.append(image.reshape(*size, -1))
        inside = place.place(np.ones(place.scaled, bool))
        maps.append(np.where(inside, place.place(place.scale_labels(label)), IGNORED).astype(np.uint8))
    return LabelledSlices(to_input(images), np.stack(maps))


def sample_features(encode: Encode, slices: LabelledSlices) -> tuple[Tensor, Tensor]:
    """Return the features (P, channels) and class ids (P,) of pixels drawn from every slice."""
    rng = np.random.default_rng(0)
    height, width = slices.labels.shape[1:]
    features, classes = [], []
    for start in range(0, len(slices.labels), BATCH):
        maps = encode(slices.images[start : start + BATCH])
        for index, labels in enumerate(slices.labels[start : start + BATCH]):
            known = np.flatnonzero(labels.ravel() != IGNORED)
            drawn = rng.choice(known, min(PIXELS, len(known)), replace=False)
            # Centres of pixels in the coordinates of `grid_sample`, where an image's edges are at -1 and 1.
            rows, columns = np.divmod(drawn, width)
            centres = np.stack([(2 * columns + 1) / width - 1, (2 * rows + 1) / height - 1], axis=-1)
            grid = torch.from_numpy(centres).float().to(maps[0].device)[None, None]
            features.append(torch.cat([_at(one[index : index + 1], grid) for one in maps], dim=1))
            classes.append(torch.from_numpy(labels.ravel()[drawn]).long())
    return torch.cat(features), torch.cat(classes).to(features[0].device)


def fit_linear(features: Tensor, classes: Tensor, num_classes: int) -> LinearLayer:
    """Fit multinomial logistic regression to features (P, C), standardised for the fit, by L-BFGS from zero."""
    mean, std = features.mean(0), features.std(0).clamp_min(1e-6)
    inputs = (features - mean) / std
    weight = torch.zeros(num_classes, inputs.shape[1], device=inputs.device, requires_grad=True)
    bias = torch.zeros(num_classes, device=inputs.device, requires_grad=True)
    optimiser = torch.optim.LBFGS([weight, bias], max_iter=STEPS, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimiser.zero_grad()
        loss = F.cross_entropy(inputs @ weight.T + bias, classes) + PENALTY * weight.square().sum()
        loss.backward()
        return loss

    optimiser.step(closure)
    scaled = weight.detach() / std
    return LinearLayer(scaled, bias.detach() - scaled @ mean)


def pooled_dsc(encode: Encode, layer: LinearLayer, slices: LabelledSlices, classes: Sequence[str]) -> dict[str, float]:
    """Return the DSC of each foreground class that occurs, over the pixels of all slices together."""
    counts = np.zeros((3, len(classes)), np.int64)
    for start in range(0, len(slices.labels), BATCH):
        labels = slices.labels[start : start + BATCH]
        logits = layer.logits(encode(slices.images[start : start + BATCH]), labels.shape[1:])
        known = labels != IGNORED
        decided, truth = logits.argmax(1).cpu().numpy()[known], labels[known]
        for row, ids in enumerate((truth[decided == truth], decided, truth)):
            counts[row] += np.bincount(ids, minlength=len(classes))
    both, predicted, true = counts
    return {
        name: float(2 * both[index] / (predicted[index] + true[index]))
        for index, name in enumerate(classes)
        if index and true[index]
    }


def picture(encode: Encode, features: Tensor, images: Tensor) -> np.ndarray:
    """Return the three main components of features as colours (N, h, w, 3) uint8.

    The components are those of the sampled `features` (P, C), standardised; a colour runs from the 2nd to the 98th
    percentile of its component over all images.
    """
    mean, std = features.mean(0), features.std(0).clamp_min(1e-6)
    standard = ((features - mean) / std).double()
    _, vectors = torch.linalg.eigh(standard.T @ standard)
    axes = vectors[:, -3:].flip(1)
    # A component's sign is arbitrary: its largest entry is made positive.
    axes = axes * axes.gather(0, axes.abs().argmax(0, keepdim=True)).sign()
    layer = LinearLayer((axes.float() / std[:, None]).T, -(mean / std) @ axes.float())
    factor = min(1.0, SHOWN_SIDE / max(images.shape[2:]))
    size = (round(images.shape[2] * factor), round(images.shape[3] * factor))
    found = torch.cat([layer.logits(encode(images[i : i + 1]), size) for i in range(len(images))])
    values = found.permute(0, 2, 3, 1).cpu().numpy()
    low, high = np.percentile(values.reshape(-1, 3), [2, 98], axis=0)
    return np.round(255 * np.clip((values - low) / np.maximum(high - low, 1e-6), 0, 1)).astype(np.uint8)


def _shown(slices: LabelledSlices) -> LabelledSlices:
    """Return the slices of the picture, evenly spread."""
    index = _spread(range(len(slices.labels)), SHOWN)
    return LabelledSlices(slices.images[index], slices.labels[index])


def _spread(items: Sequence[Item], most: int) -> list[Item]:
    """Return up to `most` items, evenly spread."""
    return [items[index] for index in np.linspace(0, len(items) - 1, min(most, len(items))).round().astype(int)]


def _enlarged(found: Tensor, size: tuple[int, int]) -> Tensor:
    return F.interpolate(found, size=size, mode="bilinear", align_corners=False)


def _at(found: Tensor, grid: Tensor) -> Tensor:
    """Return the values (P, c) of one map (1, c, h, w) at positions (1, 1, P, 2), as if it had been enlarged."""
    return F.grid_sample(found, grid, padding_mode="border", align_corners=False)[0, :, 0].T
