"""Volumes with an affine to slices and back, whatever file they come from.

A volume is turned to the nearest axes of the patient, so that a slice looks as radiologists expect whatever
the order of the stored axes: an axial slice has the front up and the patient's right on the left, slices go
upwards.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from nibabel.affines import apply_affine, voxel_sizes
from nibabel.filebasedimages import ImageFileError
from nibabel.orientations import apply_orientation, axcodes2ornt, io_orientation, ornt_transform
from nibabel.spatialimages import SpatialImage

from mmseg_ext.data.convert.class_ids import to_class_ids
from mmseg_ext.data.convert.pairing import ConvertedCase, Pair
from mmseg_ext.data.intensity import limits, to_unit
from mmseg_ext.suite.dataset_card import DatasetCard, Intensity
from mmseg_ext.suite.errors import InputError

# Directions of growing slice, row and column index.
_DISPLAY = {"axial": ("S", "P", "L"), "coronal": ("A", "I", "L"), "sagittal": ("R", "I", "P")}
LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])
"""Turns an affine of DICOM or ITK (left, back, up) to one of nibabel (right, front, up)."""

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


def to_volume(source: Any, path: Path, slice_axis: str = "axial") -> Volume:
    """Return an opened volume as a stack of slices.

    Args:
        source: nibabel image, read from a file or in memory, with a RAS+ affine.
        path: Its file, for error messages.
        slice_axis: Direction the slices are stacked along: axial, coronal or sagittal.

    Raises:
        InputError: If the file is truncated or not a three-dimensional volume of finite real numbers.
    """
    if len(source.shape) != 3:
        raise InputError(path, "dimensions", source.shape, "a three-dimensional volume")
    if abs(np.linalg.det(source.affine[:3, :3])) < 1e-9:
        raise InputError(path, "affine", source.affine.tolist(), "three independent directions")
    values, slope, intercept = _stored(source, path)
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
        slope=slope,
        intercept=intercept,
        spacing=tuple(float(sizes[axis]) for axis in order),
        source=source,
        to_source=ornt_transform(display, stored),
    )


def convert_volumes(pair: Pair, images: Sequence[Any], label: Any, card: DatasetCard) -> ConvertedCase:
    """Return the slices of one case.

    One channel keeps its values. Several channels have each their own limits, taken of the card's intensity, and are
    stored from 0 at the lower to 65535 at the upper one.

    Args:
        pair: The files, for error messages.
        images: Opened volume of each channel.
        label: Opened label map.
        card: The data set card.

    Raises:
        InputError: For an unreadable file, shapes or affines that differ, or a label value that is not whole or
            that the card does not allow.
    """
    for image, path in zip(images[1:], pair.more_images, strict=True):
        check_same_space(images[0], pair.image, image, path)
    check_same_space(images[0], pair.image, label, pair.label)
    axis = card.layout.slice_axis
    labels = to_volume(label, pair.label, axis)
    is_plain = (labels.slope, labels.intercept) == (1, 0)
    values = labels.values if is_plain else labels.values * labels.slope + labels.intercept
    ids = to_class_ids(values, card, pair.label)
    channels = [to_volume(image, path, axis) for image, path in zip(images, pair.images, strict=True)]
    spacing = channels[0].spacing
    if len(channels) == 1:
        stored, step, offset = as_uint16(channels[0].values)
        slope, intercept = step * channels[0].slope, offset * channels[0].slope + channels[0].intercept
        low, high = limits(stored * slope + intercept, card.intensity)
        return ConvertedCase(stored, ids, spacing, slope, intercept, low, high)
    joined, scaling = join_channels(channels, card.intensity)
    return ConvertedCase(joined, ids, spacing, *scaling)


def join_channels(
    channels: Sequence[Volume], intensity: Intensity
) -> tuple[np.ndarray, tuple[float, float, float, float]]:
    """Return channels as one array, each from its own limits, and slope, intercept, low and high of its values.

    Args:
        channels: Volumes of one shape.
        intensity: Rule that gives the limits of each.

    Returns:
        (slices, H, W, C) uint16, 0 at the lower and 65535 at the upper limit.
    """
    values = np.stack([_to_limits(channel, intensity) for channel in channels], -1)
    return values, (1 / _STORED_MAXIMUM, 0.0, 0.0, 1.0)


def _stored(source: Any, path: Path) -> tuple[np.ndarray, float, float]:
    """Return stored values, slope and intercept."""
    if isinstance(source.dataobj, np.ndarray):
        return source.dataobj, 1.0, 0.0
    try:
        values = np.asanyarray(source.dataobj.get_unscaled())
    except (ImageFileError, EOFError, OSError, ValueError, zlib.error) as error:
        raise InputError(path, "content", str(error), "a whole file; this one seems truncated") from None
    return values, float(source.dataobj.slope), float(source.dataobj.inter)


def _to_limits(volume: Volume, intensity: Intensity) -> np.ndarray:
    """Return 16-bit values that span the limits of a volume's intensity."""
    low, high = limits(volume.values * volume.slope + volume.intercept, intensity)
    unit = to_unit(volume.values, volume.slope, volume.intercept, low, high)
    return np.rint(unit * _STORED_MAXIMUM).astype(np.uint16)


def check_same_space(image: Any, image_path: Path, other: Any, path: Path) -> None:
    """Check that two opened volumes have one shape and lie in one place.

    Raises:
        InputError: If they do not; it names the file of `other`.
    """
    if image.shape != other.shape:
        raise InputError(path, "shape", other.shape, f"that of {image_path}: {image.shape}")
    corners = np.array(np.meshgrid(*[(0, size - 1) for size in image.shape])).reshape(3, -1).T
    gap = np.linalg.norm(apply_affine(image.affine, corners) - apply_affine(other.affine, corners), axis=1).max()
    if gap > 0.1 * voxel_sizes(image.affine).min():
        expected = f"that of {image_path}, within a tenth of a voxel"
        raise InputError(path, "affine", f"corners up to {gap:.3g} mm apart", expected)


def as_uint16(values: np.ndarray) -> tuple[np.ndarray, float, float]:
    """Return 16-bit values, step and offset such that `stored * step + offset` are the values.

    Whole numbers that span less than 2^16 are kept exactly; others are rounded to 65535 steps over their
    range.
    """
    offset, span = float(values.min()), float(values.max()) - float(values.min())
    whole = values.dtype.kind != "f" or np.array_equal(values, np.rint(values))
    step = 1.0 if span == 0 or (whole and span <= _STORED_MAXIMUM) else span / _STORED_MAXIMUM
    return np.rint((values - np.float64(offset)) / step).astype(np.uint16), step, offset
