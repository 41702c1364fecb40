"""CT-like abdominal volumes with eight organs, different in every patient.

Patients differ in size, fat, pose, contrast phase, organ size and place, smooth deformation, voxel spacing,
noise and stored orientation. Some have no gallbladder or only one kidney. Space is sampled three times a
slice and averaged, and surfaces are soft in plane, so thick slices show partial volume; a voxel belongs to
what covers most of it.

Raw form: images/<case>.nii.gz (int16 HU) and labels/<case>.nii.gz (uint8, ids of `ORGANS`), 96 x 96 pixels of
3 to 5 mm in 16 to 24 slices of 5 to 8 mm, with the affine of a scanner.
"""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
from scipy.ndimage import gaussian_filter

from mmseg_ext.data.phantoms.abdomen_anatomy import Painter, Patient, draw_patient, paint_patient
from mmseg_ext.data.phantoms.random_fields import case_name, item_generator, smooth_field
from mmseg_ext.data.phantoms.shapes import Grid
from mmseg_ext.suite.dataset_card import Subset

SIZE = 96
"""Rows and columns."""
_ORIENTATIONS = ("RAS", "LPS", "LAS", "RPI")
_SAMPLES_PER_SLICE = 3


def write_item(root: Path, subset: Subset, index: int, seed: int) -> None:
    """Write volume and label map of one patient below `root`."""
    rng = item_generator(subset, index, seed)
    patient = draw_patient(rng)
    spacing = _spacing(rng, patient)
    slices = int(np.clip(round(rng.uniform(122, 150) / spacing[2]), 16, 24))
    painter = Painter(_grid(rng, spacing, slices))
    paint_patient(rng, painter, patient)
    hounsfield, labels = _slices(painter, slices)
    hounsfield = _scan(rng, hounsfield)
    affine = np.diag([*spacing, 1.0])
    affine[:3, 3] = rng.uniform(-40, 40, 3) - np.array([SIZE, SIZE, slices]) / 2 * spacing
    orientation = str(rng.choice(_ORIENTATIONS))
    name = f"{case_name(subset, index)}.nii.gz"
    for folder, values in (("images", hounsfield), ("labels", labels)):
        (root / folder).mkdir(parents=True, exist_ok=True)
        nib.save(_stored(values, affine, orientation), root / folder / name)


def _spacing(rng: np.random.Generator, patient: Patient) -> np.ndarray:
    """Return voxel sizes in mm along x, y and z: the field of view is chosen to hold the patient."""
    in_plane = 2 * patient.half_width * rng.uniform(1.08, 1.2) / SIZE
    return np.array([in_plane, in_plane, rng.uniform(5, 8)])


def _grid(rng: np.random.Generator, spacing: np.ndarray, slices: int) -> Grid:
    """Return the coordinates of every sample, smoothly deformed."""
    shape = (SIZE, SIZE, slices * _SAMPLES_PER_SLICE)
    steps = spacing / [1, 1, _SAMPLES_PER_SLICE]
    centre = [rng.normal(0, 4), rng.normal(0, 4), rng.uniform(-12, 6)]
    axes = [
        ((np.arange(size) - (size - 1) / 2) * step + shift).astype(np.float32)
        for size, step, shift in zip(shape, steps, centre, strict=True)
    ]
    x, y, z = np.meshgrid(*axes, indexing="ij")
    turn = rng.normal(0, 0.04)
    cos, sin = np.float32(np.cos(turn)), np.float32(np.sin(turn))
    x, y = cos * x + sin * y, cos * y - sin * x
    # Two scales: the pose of the whole trunk, and the shape of single organs.
    x, y, z = (
        axis + 4 * smooth_field(rng, shape, (4, 4, 4)) + fine * smooth_field(rng, shape, (9, 9, 7))
        for axis, fine in ((x, 2.2), (y, 2.2), (z, 3.0))
    )
    return Grid(x, y, z, float(spacing[0]))


def _slices(painter: Painter, slices: int) -> tuple[np.ndarray, np.ndarray]:
    """Average the samples of each slice; the label is what covers most of a voxel."""
    shape = (SIZE, SIZE, slices, _SAMPLES_PER_SLICE)
    hounsfield = painter.hounsfield.reshape(shape).mean(-1)
    samples = painter.labels.reshape(shape)
    # The majority of three: the ends where they agree, else the middle one, which one of them must equal
    # unless three tissues meet.
    first, middle, last = (samples[..., index] for index in range(_SAMPLES_PER_SLICE))
    return hounsfield, np.where(first == last, first, middle)


def _scan(rng: np.random.Generator, hounsfield: np.ndarray) -> np.ndarray:
    """Add the point spread and the correlated noise of a scanner."""
    blurred = gaussian_filter(hounsfield, (0.45, 0.45, 0))
    noise = gaussian_filter(rng.standard_normal(hounsfield.shape, np.float32), (0.6, 0.6, 0.3))
    noisy = blurred + noise / noise.std() * rng.uniform(9, 20)
    return noisy.round().clip(-1024, 3071).astype(np.int16)


def _stored(values: np.ndarray, affine: np.ndarray, orientation: str) -> nib.Nifti1Image:
    """Return an image of RAS+ values stored in another orientation of the axes."""
    image = nib.Nifti1Image(values, affine)
    image.header.set_xyzt_units("mm")
    target = nib.orientations.axcodes2ornt(orientation)
    return image.as_reoriented(nib.orientations.ornt_transform(nib.io_orientation(affine), target))
