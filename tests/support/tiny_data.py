"""Tiny raw data sets and their cards, for tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from PIL import Image

from mmseg_ext.suite.dataset_card import DatasetCard
from mmseg_ext.suite.loading import parse

CLASSES = [{"name": "background", "values": [0]}, {"name": "organ", "values": [1]}]
MASK_CLASSES = [{"name": "background", "values": [0]}, {"name": "lesion", "values": [255]}]


def write_nifti(path: Path, values: np.ndarray, affine: np.ndarray | None = None, axes: str = "RAS") -> Path:
    """Write RAS+ values, stored with the given order of axes; the default affine is 2 x 3 x 5 mm."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = nib.Nifti1Image(values, np.diag([2.0, 3.0, 5.0, 1.0]) if affine is None else affine)
    stored = nib.orientations.ornt_transform(nib.io_orientation(image.affine), nib.orientations.axcodes2ornt(axes))
    nib.save(image.as_reoriented(stored), path)
    return path


def write_volumes(root: Path, cases: int = 4, axes: str = "RAS") -> Path:
    """Write `cases` volumes of (6, 7, 4) voxels named case_0… with one organ each."""
    for index in range(cases):
        rng = np.random.default_rng(index)
        labels = np.zeros((6, 7, 4), np.uint8)
        labels[1 : 3 + index % 3, 2:5, 1:3] = 1
        values = (rng.normal(0, 20, labels.shape) + 100 * labels).astype(np.int16)
        write_nifti(root / "images" / f"case_{index}.nii.gz", values, axes=axes)
        write_nifti(root / "labels" / f"case_{index}.nii.gz", labels, axes=axes)
    return root


def write_pairs(root: Path, cases: int = 4, ending: str = "png") -> Path:
    """Write `cases` RGB images of 9 x 11 pixels named case_0… with a mask of 0 and 255 each."""
    for folder in ("images", "masks"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    for index in range(cases):
        rng = np.random.default_rng(index)
        mask = np.zeros((9, 11), np.uint8)
        mask[2:6, 3 : 6 + index % 3] = 255
        image = rng.integers(0, 200, (9, 11, 3)).astype(np.uint8)
        Image.fromarray(image).save(root / "images" / f"case_{index}.{ending}")
        Image.fromarray(mask).save(root / "masks" / f"case_{index}.png")
    return root


def volume_card(**changes: Any) -> DatasetCard:
    """Return the card of `write_volumes`, with fields replaced."""
    card = {
        "dataset": "tiny_volumes",
        "title": "Tiny volumes",
        "modality": "simulated CT",
        "licence": {"name": "Apache-2.0"},
        "source": {"access": "local"},
        "layout": {"layout": "nifti_volumes"},
        "channels": ["ct"],
        "classes": CLASSES,
        "intensity": {"mode": "window", "low": -100, "high": 200},
        "fit": "pad",
        "unit": "mm",
        "split": {"kind": "derived", "train": 0.5, "val": 0.25, "test": 0.25},
    }
    return parse(DatasetCard, {**card, **changes}, "tiny_volumes.yaml")


def pair_card(**changes: Any) -> DatasetCard:
    """Return the card of `write_pairs`, with fields replaced."""
    card = {
        "dataset": "tiny_pairs",
        "title": "Tiny pairs",
        "modality": "simulated photographs",
        "licence": {"name": "Apache-2.0"},
        "source": {"access": "local"},
        "layout": {"layout": "image_mask_pairs"},
        "channels": ["red", "green", "blue"],
        "classes": MASK_CLASSES,
        "intensity": {"mode": "window", "low": 0, "high": 255},
        "unit": "px",
        "split": {"kind": "derived", "train": 0.5, "val": 0.25, "test": 0.25},
    }
    return parse(DatasetCard, {**card, **changes}, "tiny_pairs.yaml")
