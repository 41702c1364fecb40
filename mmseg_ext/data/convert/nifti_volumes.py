"""NIfTI volumes."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from nibabel.filebasedimages import ImageFileError
from nibabel.spatialimages import HeaderDataError

from mmseg_ext.data.convert.pairing import ConvertedCase, Pair, Pairs, pair_volume_files
from mmseg_ext.data.convert.volumes import Volume, convert_volumes, to_volume
from mmseg_ext.suite.dataset_card import DatasetCard
from mmseg_ext.suite.errors import InputError

ENDINGS = (".nii.gz", ".nii")


def read_volume(path: Path, slice_axis: str = "axial") -> Volume:
    """Read a .nii or .nii.gz file as a stack of slices.

    Args:
        path: The file.
        slice_axis: Direction the slices are stacked along: axial, coronal or sagittal.

    Raises:
        InputError: If the file is unreadable, truncated or not a three-dimensional volume of finite real
            numbers.
    """
    return to_volume(_open(path), path, slice_axis)


def find_pairs(card: DatasetCard, root: Path) -> Pairs:
    """Return the cases of a data set; see `pair_volume_files` for errors."""
    return pair_volume_files(card, root, ENDINGS)


def count_bytes(pair: Pair) -> int:
    """Return the bytes a case takes uncompressed: 16 bits a grey value and channel, 8 a label."""
    return (2 * len(pair.images) + 1) * int(np.prod(_open(pair.image).shape))


def convert(pair: Pair, card: DatasetCard) -> ConvertedCase:
    """Read one case; see `convert_volumes` for errors."""
    return convert_volumes(pair, [_open(path) for path in pair.images], _open(pair.label), card)


def _open(path: Path) -> Any:
    """Open a volume without reading its voxels."""
    try:
        return nib.load(path)
    except (ImageFileError, HeaderDataError, EOFError, OSError, ValueError, zlib.error) as error:
        raise InputError(path, "content", str(error), "a NIfTI file") from None
