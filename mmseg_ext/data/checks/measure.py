"""One pass over the files of a prepared data set: all that the checks are made from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from mmseg_ext.data.checks.near_duplicates import THUMBNAIL, thumbnail
from mmseg_ext.data.intensity import to_unit
from mmseg_ext.data.prepared import IGNORED, PreparedDataset
from mmseg_ext.data.progress import progress
from mmseg_ext.suite.errors import InputError


@dataclass(frozen=True)
class Measured:
    """What was found in the files."""

    samples: pd.DataFrame
    """A row a sample: sample, case, patient, subset, foreground (pixels), minimum and maximum (physical), inside
    (share of the pixels from `low` to `high`)."""
    thumbnails: np.ndarray
    """(samples, THUMBNAIL, THUMBNAIL) uint8."""
    class_pixels: np.ndarray
    """(samples, classes) pixel counts."""


def measure_thumbnails(prepared: PreparedDataset, samples: Sequence[str]) -> np.ndarray:
    """Return the thumbnails (samples, THUMBNAIL, THUMBNAIL) uint8 of some samples; see `measure` for errors."""
    rows = prepared.samples.set_index("sample", drop=False)
    found = [_thumbnail(prepared.image(name), rows.loc[name]) for name in progress(samples, f"check {prepared.name}")]
    return np.array(found, np.uint8).reshape(-1, THUMBNAIL, THUMBNAIL)


def measure(prepared: PreparedDataset) -> Measured:
    """Read every image and label map once.

    Raises:
        InputError: If a file is missing or unreadable, a label map holds a value that is no class, or has not the
            size of its image.
    """
    rows = prepared.samples.merge(prepared.splits[["case", "subset"]], on="case", how="left", validate="many_to_one")
    unlisted = rows.loc[rows["subset"].isna(), "case"]
    if len(unlisted):
        raise InputError(prepared.root / "splits.csv", "case", f"no row for {unlisted.iloc[0]}", "a row for every case")
    thumbnails = np.zeros((len(rows), THUMBNAIL, THUMBNAIL), np.uint8)
    pixels = np.zeros((len(rows), len(prepared.classes)), np.int64)
    extremes = np.zeros((len(rows), 3))
    for index, row in enumerate(progress(list(rows.itertuples()), f"check {prepared.name}")):
        image = prepared.image(row.sample)
        pixels[index] = _count(prepared, row.sample, image.shape[:2])
        physical = image * row.slope + row.intercept
        inside = np.mean((physical >= row.low) & (physical <= row.high))
        extremes[index] = physical.min(), physical.max(), inside
        thumbnails[index] = _thumbnail(image, row)
    samples = rows[["sample", "case", "patient", "subset"]].assign(
        foreground=pixels[:, 1:].sum(axis=1), minimum=extremes[:, 0], maximum=extremes[:, 1], inside=extremes[:, 2]
    )
    return Measured(samples, thumbnails, pixels)


def _count(prepared: PreparedDataset, sample: str, shape: tuple[int, ...]) -> np.ndarray:
    labels = prepared.label(sample)
    path = prepared.root / "labels" / f"{sample}.png"
    if labels.shape != shape:
        raise InputError(path, "height and width", labels.shape, f"those of its image: {shape}")
    counts = np.bincount(labels.ravel(), minlength=IGNORED + 1)
    unknown = np.flatnonzero(counts[len(prepared.classes) : IGNORED])
    if len(unknown):
        found = int(unknown[0]) + len(prepared.classes)
        raise InputError(path, "class id", found, f"at most {len(prepared.classes) - 1}, the last class")
    return counts[: len(prepared.classes)]


def _thumbnail(image: np.ndarray, row: Any) -> np.ndarray:
    # Limits that coincide are reported by the checks; here they must only not divide by zero.
    high = max(row.high, row.low + 1e-6)
    return thumbnail(to_unit(image, row.slope, row.intercept, row.low, high))
