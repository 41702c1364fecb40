"""NIfTI volumes to slices and back.

A volume is turned to the nearest axes of the patient, so that a slice looks as radiologists expect whatever
the order of the stored axes: an axial slice has the front up and the patient's right on the left, slices go
upwards.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from nibabel.affines import apply_affine, voxel_sizes
from nibabel.filebasedimages import ImageFileError
from nibabel.orientations import apply_orientation, axcodes2ornt, io_orientation, ornt_transform
from nibabel.spatialimages import HeaderDataError, SpatialImage

from mmseg_ext.data.convert.pairing import ConvertedCase, Pair, Pairs, find_folder, pair_files, to_class_ids
from mmseg_ext.data.intensity import limits
from mmseg_ext.suite.dataset_card import DatasetCard, NiftiVolumes
from mmseg_ext.suite.errors import InputError

ENDINGS = (".nii.gz", ".nii")

# Directions of growing slice, row and column index.
_DISPLAY = {"axial": ("S", "P", "L"), "coronal": ("A", "I", "L"), "sagittal": ("R", "I", "P")}
_STORED_MAXIMUM = np.iinfo(np.uint16).max


@dataclass(frozen=True)
class Volume:
    """A volume as a stack of slices, and the way back to its file's axes."""

    values: np.ndarray
    """(slices, H, W) as stored in the file; times `slope` plus `intercept` they are physical values."""
    slope: float
    intercept: float
    spacing: tuple[float, float, float]
    """mm between slices, rows and columns."""
    source: SpatialImage
    """Header and affine of the file."""
    to_source: np.ndarray
    """nibabel orientation that turns slices back to the file's axes."""

    def restore(self, labels: np.ndarray) -> nib.Nifti1Image:
        """Return class ids as an image with the orientation, shape and affine of the file.

        Args:
            labels: (slices, H, W) class ids, of the shape of `values`.

        Raises:
            ValueError: If the shape differs.
        """
        if labels.shape != self.values.shape:
            raise ValueError(f"found labels of shape {labels.shape}, expected {self.values.shape}")
        turned = apply_orientation(labels.astype(np.uint8), self.to_source)
        header = nib.Nifti1Header.from_header(self.source.header)
        header.set_data_dtype(np.uint8)
        header.set_slope_inter(1, 0)
        return nib.Nifti1Image(turned, self.source.affine, header)


def read_volume(path: Path, slice_axis: str = "axial") -> Volume:
    """Read a NIfTI volume as a stack of slices.

    Args:
        path: A .nii or .nii.gz file.
        slice_axis: Direction the slices are stacked along: axial, coronal or sagittal.

    Raises:
        InputError: If the file is unreadable, truncated or not a three-dimensional volume of finite real
            numbers.
    """
    source = _open(path)
    try:
        values = np.asanyarray(source.dataobj.get_unscaled())
    except (ImageFileError, EOFError, OSError, ValueError, zlib.error) as error:
        raise InputError(path, "content", str(error), "a whole NIfTI file; this one seems truncated") from None
    if values.dtype.kind not in "iuf":
        raise InputError(path, "data type", str(values.dtype), "real numbers")
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        raise InputError(path, "voxel values", "infinite or not a number", "finite numbers")
    stored, display = io_orientation(source.affine), axcodes2ornt(_DISPLAY[slice_axis])
    to_display = ornt_transform(stored, display)
    sizes = voxel_sizes(source.affine)
    order = np.argsort(to_display[:, 0])
    return Volume(
        values=np.ascontiguousarray(apply_orientation(values, to_display)),
        slope=float(source.dataobj.slope),
        intercept=float(source.dataobj.inter),
        spacing=tuple(float(sizes[axis]) for axis in order),
        source=source,
        to_source=ornt_transform(display, stored),
    )


def find_pairs(layout: NiftiVolumes, root: Path) -> Pairs:
    """Return the cases of a data set; see `pair_files` for errors."""
    images, labels = find_folder(root, layout.images, "images"), find_folder(root, layout.labels, "labels")
    suffixes = (layout.image_suffix, layout.label_suffix)
    return pair_files(images, labels, suffixes, ENDINGS, layout.skip, layout.patient_pattern)


def count_bytes(pair: Pair) -> int:
    """Return the bytes a case takes uncompressed: 16 bits a grey value, 8 a label."""
    return 3 * int(np.prod(_open(pair.image).shape))


def convert(pair: Pair, card: DatasetCard) -> ConvertedCase:
    """Read one case.

    Raises:
        InputError: For an unreadable file, shapes or affines that differ between image and labels, or a label
            value that is not whole or that no class declares.
    """
    assert isinstance(card.layout, NiftiVolumes)
    volume = read_volume(pair.image, card.layout.slice_axis)
    labels = read_volume(pair.label, card.layout.slice_axis)
    _check_same_space(pair, volume.source, labels.source)
    stored, step, offset = _as_uint16(volume.values)
    slope, intercept = step * volume.slope, offset * volume.slope + volume.intercept
    low, high = limits(stored * slope + intercept, card.intensity)
    ids = to_class_ids(labels.values * labels.slope + labels.intercept, card.classes, pair.label)
    return ConvertedCase(stored, ids, volume.spacing, slope, intercept, low, high)


def _open(path: Path) -> Any:
    """Open a volume without reading its voxels."""
    try:
        source = nib.load(path)
    except (ImageFileError, HeaderDataError, EOFError, OSError, ValueError, zlib.error) as error:
        raise InputError(path, "content", str(error), "a NIfTI file") from None
    if len(source.shape) != 3:
        raise InputError(path, "dimensions", source.shape, "a three-dimensional volume")
    if abs(np.linalg.det(source.affine[:3, :3])) < 1e-9:
        raise InputError(path, "affine", source.affine.tolist(), "three independent directions")
    return source


def _check_same_space(pair: Pair, image: Any, label: Any) -> None:
    if image.shape != label.shape:
        raise InputError(pair.label, "shape", label.shape, f"that of {pair.image}: {image.shape}")
    corners = np.array(np.meshgrid(*[(0, size - 1) for size in image.shape])).reshape(3, -1).T
    gap = np.linalg.norm(apply_affine(image.affine, corners) - apply_affine(label.affine, corners), axis=1).max()
    if gap > 0.1 * voxel_sizes(image.affine).min():
        expected = f"that of {pair.image}, within a tenth of a voxel"
        raise InputError(pair.label, "affine", f"corners up to {gap:.3g} mm apart", expected)


def _as_uint16(values: np.ndarray) -> tuple[np.ndarray, float, float]:
    """Return 16-bit values, step and offset such that `stored * step + offset` are the values.

    Whole numbers that span less than 2^16 are kept exactly; others are rounded to 65535 steps over their
    range.
    """
    offset, span = float(values.min()), float(values.max()) - float(values.min())
    whole = values.dtype.kind != "f" or np.array_equal(values, np.rint(values))
    step = 1.0 if span == 0 or (whole and span <= _STORED_MAXIMUM) else span / _STORED_MAXIMUM
    return np.rint((values - np.float64(offset)) / step).astype(np.uint16), step, offset
