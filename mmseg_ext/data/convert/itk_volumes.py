"""MetaImage and NRRD volumes, read with SimpleITK."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import SimpleITK as sitk

from mmseg_ext.data.convert.pairing import ConvertedCase, Pair, Pairs, pair_volume_files
from mmseg_ext.data.convert.volumes import LPS_TO_RAS, convert_volumes
from mmseg_ext.suite.dataset_card import DatasetCard
from mmseg_ext.suite.errors import InputError

ENDINGS = (".mhd", ".mha", ".nrrd")


def find_pairs(card: DatasetCard, root: Path) -> Pairs:
    """Return the cases of a data set; see `pair_volume_files` for errors."""
    return pair_volume_files(card, root, ENDINGS)


def count_bytes(pair: Pair) -> int:
    """Return the bytes a case takes uncompressed: 16 bits a grey value and channel, 8 a label."""
    reader = sitk.ImageFileReader()
    reader.SetFileName(str(pair.image))
    try:
        reader.ReadImageInformation()
    except RuntimeError as error:
        raise _unreadable(pair.image, error) from None
    return (2 * len(pair.images) + 1) * int(np.prod(reader.GetSize()))


def convert(pair: Pair, card: DatasetCard) -> ConvertedCase:
    """Read one case; see `convert_volumes` for errors."""
    return convert_volumes(pair, [read_itk(path) for path in pair.images], read_itk(pair.label), card)


def read_itk(path: Path) -> nib.Nifti1Image:
    """Read a .mhd, .mha or .nrrd file as a volume in memory with a RAS+ affine; ITK's own is LPS+.

    Raises:
        InputError: If the file is unreadable or truncated.
    """
    try:
        image = sitk.ReadImage(str(path))
    except RuntimeError as error:
        raise _unreadable(path, error) from None
    if image.GetDimension() != 3:
        raise InputError(path, "dimensions", image.GetSize(), "a three-dimensional volume")
    affine = np.eye(4)
    affine[:3, :3] = np.reshape(image.GetDirection(), (3, 3)) * np.array(image.GetSpacing())
    affine[:3, 3] = image.GetOrigin()
    values = sitk.GetArrayFromImage(image).transpose(2, 1, 0)
    return nib.Nifti1Image(values, LPS_TO_RAS @ affine, dtype=values.dtype)


def _unreadable(path: Path, error: RuntimeError) -> InputError:
    return InputError(path, "content", str(error).splitlines()[-1], "a whole MetaImage or NRRD file")
