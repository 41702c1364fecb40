"""From a source's files to the prepared form."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mmseg_ext.data.convert import (
    array_files,
    array_stacks,
    dicom_series,
    image_mask_pairs,
    itk_volumes,
    nifti_volumes,
    run_length_masks,
)
from mmseg_ext.data.convert.pairing import ConvertedCase, Pair
from mmseg_ext.data.disk import clear_disk_errors
from mmseg_ext.data.expected import differing_counts
from mmseg_ext.data.prepared import IGNORED, PreparedDataset, channel_images, finish, write_image
from mmseg_ext.data.progress import progress
from mmseg_ext.data.source import read_local, source_root
from mmseg_ext.data.splits import make_split
from mmseg_ext.suite.dataset_card import DatasetCard
from mmseg_ext.suite.errors import InputError
from mmseg_ext.suite.files import replacing, require_free_space

_CONVERTERS = {
    "nifti_volumes": nifti_volumes,
    "itk_volumes": itk_volumes,
    "dicom_series": dicom_series,
    "image_mask_pairs": image_mask_pairs,
    "array_files": array_files,
    "array_stacks": array_stacks,
    "run_length_masks": run_length_masks,
}
_DESCRIBED = {"dataset", "title", "channels", "unit", "fit", "intensity", "modality", "licence", "layout"}


def prepare(card: DatasetCard, raw: Path, out: Path, split_file: Path | None) -> PreparedDataset:
    """Convert a fetched data set to the prepared form, all or nothing.

    Args:
        card: The data set card.
        raw: Folder that `fetch` has written.
        out: Folder of the prepared data set; replaced if it exists.
        split_file: The committed split, or None for a derived one.

    Raises:
        InputError: If the data do not fit the card or the split, fetched data have not the cases the card counts, a
            file is unreadable, or the disk is too full.
    """
    converter = _CONVERTERS[card.layout.layout]
    root = source_root(raw)
    found = converter.find_pairs(card, root)
    splits = make_split(card, found.pairs, split_file, root)
    wrong = differing_counts(card.counts, splits)
    # Data that lie on this machine may be a part of the data set; the check of the data says so.
    if wrong and read_local(raw) is None:
        hint = "The files are not those the card was written for: fetch them anew, or correct `counts` on the card."
        expected = ", ".join(f"{name} {count}" for name, count in card.counts.items())
        raise InputError(root, "cases", wrong, f"{expected}, as the card of {card.dataset} says", hint)
    require_free_space(out, sum(converter.count_bytes(pair) for pair in found.pairs), f"preparing {card.dataset}")
    rows: list[dict[str, Any]] = []
    pixels: list[tuple[str, str, int]] = []
    with replacing(out) as part:
        for pair in progress(found.pairs, f"prepare {card.dataset}"):
            case = converter.convert(pair, card)
            if card.unit == "mm" and case.spacing is None:
                raise InputError(pair.image, "spacing", "none", "a spacing in mm", "Use `unit: px` on the card.")
            with _disk_errors(card, out):
                rows += _write_case(part, pair, case, card.channels)
            counts = np.bincount(case.labels.ravel(), minlength=IGNORED + 1)[: len(card.classes)]
            pixels += [(pair.case, name, int(n)) for name, n in zip(card.class_names, counts, strict=True)]
        class_pixels = pd.DataFrame(pixels, columns=["case", "class_name", "pixels"])
        described = {
            **card.model_dump(mode="json", include=_DESCRIBED),
            "classes": card.class_names,
            "is_volume": card.is_volume,
            "class_voxels": _count_classes(class_pixels),
            "skipped": found.skipped,
            "expected_cases": card.counts,
        }
        with _disk_errors(card, out):
            class_pixels.to_csv(part / "class_pixels.csv", index=False)
            finish(part, described, rows, splits)
    return PreparedDataset(out)


def _disk_errors(card: DatasetCard, out: Path) -> AbstractContextManager[None]:
    hint = f"run `prepare {card.dataset}` again; what was prepared before is kept"
    return clear_disk_errors(out, "the prepared data", hint)


def _write_case(root: Path, pair: Pair, case: ConvertedCase, channels: list[str]) -> Iterator[dict[str, Any]]:
    """Write the slices of a case and yield the row of each."""
    slices, height, width = case.labels.shape
    spacing = case.spacing or (None, None, None)
    for index in range(slices):
        sample = f"{pair.case}_{index:04d}" if case.spacing is not None or slices > 1 else pair.case
        for name, values in channel_images(sample, case.images[index], channels).items():
            write_image(root / "images" / name, values)
        write_image(root / "labels" / f"{sample}.png", case.labels[index])
        for name, values in case.maps.items():
            write_image(root / "maps" / name / f"{sample}.png", values[index])
        yield {
            "sample": sample, "case": pair.case, "patient": pair.patient, "slice": index, "slices": slices,
            "height": height, "width": width,
            "spacing_z": spacing[0], "spacing_y": spacing[1], "spacing_x": spacing[2],
            "slope": case.slope, "intercept": case.intercept, "low": case.low, "high": case.high,
            "text": case.text,
        }  # fmt: skip


def _count_classes(class_pixels: pd.DataFrame) -> dict[str, dict[str, int]]:
    """Return in how many cases each class occurs and how many pixels it has in all."""
    by_class = class_pixels.groupby("class_name", sort=False)["pixels"]
    return {str(name): {"cases": int((pixels > 0).sum()), "pixels": int(pixels.sum())} for name, pixels in by_class}
