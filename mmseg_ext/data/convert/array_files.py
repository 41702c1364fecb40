"""HDF5 and NPZ files that hold an image and its label map: a case, or a slice of one."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from mmseg_ext.data.convert.arrays import array_shape, read_array
from mmseg_ext.data.convert.class_ids import to_class_ids
from mmseg_ext.data.convert.pairing import ConvertedCase, Pair, Pairs, cases_by_pattern
from mmseg_ext.data.convert.volumes import as_uint16
from mmseg_ext.data.intensity import limits
from mmseg_ext.suite.dataset_card import DatasetCard
from mmseg_ext.suite.errors import InputError
from mmseg_ext.suite.layouts import ArrayFiles


def find_pairs(card: DatasetCard, root: Path) -> Pairs:
    """Return the cases of a data set; see `cases_by_pattern` for errors.

    Raises:
        InputError: Also for a file without the arrays of the layout.
    """
    layout = _layout(card)
    several = any("{slice}" in pattern for pattern in layout.image_files)
    found = cases_by_pattern(layout, root, one_file=not several)
    for pair in found.pairs:
        for name in (layout.image_array, layout.label_array):
            array_shape(pair.image, name)
    return found


def count_bytes(pair: Pair) -> int:
    """Return the bytes the files of a case take; packed ones may need more."""
    return sum(path.stat().st_size for path in pair.images)


def convert(pair: Pair, card: DatasetCard) -> ConvertedCase:
    """Read one case.

    Raises:
        InputError: For an unreadable file, an array of another shape than the layout says, sizes that differ, or a
            label value that the card does not allow.
    """
    layout = _layout(card)
    images, labels = [], []
    for path in pair.images:
        label = read_array(path, layout.label_array)
        image = read_array(path, layout.image_array)
        labels.append(_stack(label, (2, 3) if layout.volumes else (2,), path, layout.label_array))
        dimensions = labels[-1].ndim + (len(card.channels) > 1)
        stack = image if image.ndim == dimensions else image[None]
        if stack.shape[:3] != labels[-1].shape or stack.ndim != dimensions:
            expected = f"that of {layout.label_array}: {label.shape}"
            raise InputError(path, f"shape of {layout.image_array}", image.shape, expected)
        images.append(stack)
    sizes = {stack.shape[1:3] for stack in labels}
    if len(sizes) > 1:
        raise InputError(pair.image, f"sizes of the slices of {pair.case}", sorted(sizes), "one size")
    return to_case(np.concatenate(images), np.concatenate(labels), pair.image, card, layout.spacing)


def to_case(
    images: np.ndarray,
    labels: np.ndarray,
    path: Path,
    card: DatasetCard,
    spacing: tuple[float, float, float] | None = None,
) -> ConvertedCase:
    """Return arrays as a case; grey values that are no small whole numbers are rounded to 65535 steps.

    Args:
        images: (slices, H, W), or (1, H, W, 3) of 8 bits.
        labels: (slices, H, W) label values.
        path: Their file, for error messages.
        card: The data set card.
        spacing: mm between slices, rows and columns.

    Raises:
        InputError: For colours of more than 8 bits, or a label value that the card does not allow.
    """
    ids = to_class_ids(labels, card, path)
    if images.ndim == 4:
        if images.dtype != np.uint8:
            raise InputError(path, "data type of colours", str(images.dtype), "uint8")
        stored, slope, intercept = images, 1.0, 0.0
    else:
        stored, slope, intercept = as_uint16(images)
    low, high = limits(stored * slope + intercept, card.intensity)
    return ConvertedCase(stored, ids, spacing, slope, intercept, low, high)


def _layout(card: DatasetCard) -> ArrayFiles:
    assert isinstance(card.layout, ArrayFiles)
    return card.layout


def _stack(values: np.ndarray, dimensions: tuple[int, ...], path: Path, name: str) -> np.ndarray:
    if values.ndim not in dimensions:
        expected = " or ".join(str(count) for count in dimensions)
        raise InputError(path, f"shape of {name}", values.shape, f"{expected} dimensions")
    return values if values.ndim == 3 else values[None]
