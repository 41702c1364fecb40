"""DICOM series with a stack of label images.

Slices are paired by the order of file names, as such sources define it, and then put in the order of their positions
in the patient; the distance between slices comes from the positions too, since the thickness a header states need not
be that distance.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pydicom
from pydicom.errors import InvalidDicomError

from mmseg_ext.data.convert.mask_files import read_mask
from mmseg_ext.data.convert.pairing import ConvertedCase, Pair, Pairs, pair_by_pattern
from mmseg_ext.data.convert.volumes import LPS_TO_RAS, convert_volumes
from mmseg_ext.suite.dataset_card import DatasetCard
from mmseg_ext.suite.errors import InputError

_GEOMETRY = ("Rows", "Columns", "PixelSpacing", "ImageOrientationPatient", "ImagePositionPatient")
_UNREADABLE = (InvalidDicomError, EOFError, OSError, ValueError, AttributeError, NotImplementedError, RuntimeError)


def find_pairs(card: DatasetCard, root: Path) -> Pairs:
    """Return the cases of a data set; see `pair_by_pattern` for errors, and a case needs as many labels as slices."""
    found = pair_by_pattern(card, root, one_image=False, one_label=False)
    for pair in found.pairs:
        if len(pair.images) != len(pair.labels):
            expected = f"one for each of the {len(pair.images)} slices in {pair.image.parent}"
            raise InputError(pair.label.parent, "label images", len(pair.labels), expected)
    return found


def count_bytes(pair: Pair) -> int:
    """Return the bytes a case takes uncompressed: 16 bits a grey value, 8 a label."""
    header = _read(pair.image)
    return 3 * len(pair.images) * int(header.Rows) * int(header.Columns)


def convert(pair: Pair, card: DatasetCard) -> ConvertedCase:
    """Read one case.

    Raises:
        InputError: For an unreadable file, slices that do not lie on one straight grid, label images of another
            size, or a label value the card does not allow.
    """
    slices = [_read(path) for path in pair.images]
    affine, order = _geometry(pair, slices)
    values = np.stack([_physical(slices[index], pair.images[index]) for index in order])
    masks = [read_mask(pair.labels[index]) for index in order]
    for index, mask in zip(order, masks, strict=True):
        if mask.shape != values.shape[1:]:
            expected = f"those of {pair.images[index]}: {values.shape[1:]}"
            raise InputError(pair.labels[index], "height and width", mask.shape, expected)
    label = nib.Nifti1Image(np.stack(masks).transpose(2, 1, 0), affine, dtype=masks[0].dtype)
    image = nib.Nifti1Image(values.transpose(2, 1, 0), affine, dtype=values.dtype)
    one = Pair(pair.case, pair.patient, pair.image, pair.label)
    return convert_volumes(one, [image], label, card)


def _read(path: Path) -> Any:
    try:
        header = pydicom.dcmread(path)
    except _UNREADABLE as error:
        raise InputError(path, "content", str(error), "a whole DICOM file") from None
    missing = [name for name in _GEOMETRY if name not in header]
    if missing:
        raise InputError(path, "DICOM attributes", f"no {missing[0]}", f"an image with {', '.join(_GEOMETRY)}")
    return header


def _physical(header: Any, path: Path) -> np.ndarray:
    try:
        stored = header.pixel_array
    except _UNREADABLE as error:
        raise InputError(path, "pixel data", str(error), "a whole image") from None
    slope, intercept = float(header.get("RescaleSlope", 1)), float(header.get("RescaleIntercept", 0))
    return stored if (slope, intercept) == (1, 0) else (stored * slope + intercept).astype(np.float32)


def _geometry(pair: Pair, slices: list[Any]) -> tuple[np.ndarray, list[int]]:
    """Return the RAS+ affine of (column, row, slice) indices, and the slices in the order of their positions."""
    first = slices[0]
    for header, path in zip(slices, pair.images, strict=True):
        for name in _GEOMETRY[:4]:
            found, expected = np.array(header[name].value, float), np.array(first[name].value, float)
            if not np.allclose(found, expected, atol=1e-4):
                raise InputError(path, name, found.tolist(), f"that of {pair.image}: {expected.tolist()}")
    along_row, along_column = np.array(first.ImageOrientationPatient, float).reshape(2, 3)
    positions = np.array([header.ImagePositionPatient for header in slices], float)
    order = np.argsort(positions @ np.cross(along_row, along_column), kind="stable")
    steps = np.diff(positions[order], axis=0)
    step = steps.mean(0) if len(steps) else np.zeros(3)
    length = np.linalg.norm(step)
    if length < 1e-6 or np.abs(steps - step).max() > 0.05 * length:
        found = np.linalg.norm(steps, axis=1).round(3).tolist()
        raise InputError(pair.image.parent, "distances between slices", found, "at least two slices, evenly apart")
    between_rows, between_columns = np.array(first.PixelSpacing, float)
    affine = np.eye(4)
    affine[:3] = np.stack([along_row * between_columns, along_column * between_rows, step, positions[order[0]]], 1)
    return LPS_TO_RAS @ affine, order.tolist()
