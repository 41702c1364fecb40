"""Pairs of masks to compare: two made here, and the real ones of a reference folder."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import nibabel as nib
import numpy as np
from numpy.typing import NDArray

from mmseg_ext.suite.errors import InputError
from mmseg_ext.suite.files import read_json

Mask = NDArray[np.uint8]


@dataclass(frozen=True)
class Pair:
    """Masks (slices, H, W) of 0 and 1, and the spacing of their axes."""

    name: str
    truth: Mask
    prediction: Mask
    spacing: tuple[float, float, float]

    @property
    def flat(self) -> tuple[NDArray[np.bool_], NDArray[np.bool_], tuple[float, ...]]:
        """Truth, prediction and spacing as MedPy and surface-distance take them: an image has two axes."""
        first = 1 if len(self.truth) == 1 else 0
        axes = (0,) if first else ()
        truth, prediction = (mask.squeeze(axes).astype(bool) for mask in (self.truth, self.prediction))
        return truth, prediction, self.spacing[first:]


def synthetic_pairs() -> list[Pair]:
    """Return a pair of the size of a hippocampus volume and one of the size of a liver in a CT."""
    return [
        _ellipsoids("hippocampus-sized", (36, 50, 35), (11, 17, 8), (1.0, 1.0, 1.0)),
        _ellipsoids("liver-sized", (78, 512, 512), (31, 95, 125), (2.0, 0.75, 0.75)),
    ]


def reference_pairs(folder: Path) -> Iterator[tuple[Pair, dict[str, Any]]]:
    """Yield every pair of a reference folder with the values known for it.

    Raises:
        InputError: If the masks do not have the numbers of voxels that `reference_values.json` gives.
    """
    file = folder / "ref_values" / "reference_values.json"
    for name, values in read_json(file).items():
        masks, spacing = _load(folder, name)
        truth, prediction = (np.ascontiguousarray(mask, np.uint8) for mask in masks)
        counts = [int(np.count_nonzero(mask)) for mask in (truth, prediction)]
        expected = [values["ref_voxels"], values["pred_voxels"]]
        if counts != expected:
            raise InputError(file, f"{name}.ref_voxels, pred_voxels", counts, f"{expected}")
        yield Pair(name, truth, prediction, spacing), values


def _ellipsoids(
    name: str, shape: tuple[int, int, int], radii: tuple[int, int, int], spacing: tuple[float, float, float]
) -> Pair:
    """Return an ellipsoid with waves on its surface, and the same with other waves."""
    grid = np.meshgrid(*(np.arange(n) - n / 2 for n in shape), indexing="ij", sparse=True)
    scaled = [axis / radius for axis, radius in zip(grid, radii, strict=True)]
    distance = np.sqrt(sum(axis**2 for axis in scaled))
    masks = [
        (distance < 1 + 0.08 * np.sin(rate * scaled[1]) * np.cos(rate * scaled[2])).astype(np.uint8) for rate in (5, 7)
    ]
    return Pair(name, masks[0], masks[1], spacing)


def _load(folder: Path, name: str) -> tuple[tuple[Mask, Mask], tuple[float, float, float]]:
    """Return (truth, prediction) and the spacing of a pair named in `reference_values.json`."""
    group, _, rest = name.partition("_")
    match group:
        case "chaos3d":
            root = folder / "ref_chaos_eval" / "Data_3D"
            stacks = (_png_stack(root / "Ground"), _png_stack(root / "Segmentation"))
            spacing = read_json(folder / "ref_chaos_eval" / "spacing.json")
            return stacks, (spacing["z_step"], *spacing["pixel_spacing"])
        case "chaos2d":
            root = folder / "ref_chaos_eval" / "Data_2D"
            files = root / "Ground" / "ref.png", root / "Segmentation" / f"{rest}.png"
            return (_picture(files[0], 0)[None], _picture(files[1], 0)[None]), (1.0, 1.0, 1.0)
        case "busuc":
            root = folder / "busuc_mini"
            # Lossy pictures: masks are white, predictions are drawn in a half-bright green.
            truth = _picture(root / "masks" / f"{rest}.jpg", 127)
            prediction = _picture(root / "predictions" / f"{rest}.jpg", 64)
            return (truth[None], prediction[None]), (1.0, 1.0, 1.0)
        case "totalseg":
            root = folder / "totalseg_tests"
            return _volumes(root / "example_seg.nii.gz", root / "example_seg_fast.nii.gz", rest)
        case "labelfusion":
            root = folder / "ref_labelfusion"
            return _volumes(root / "resunet.nii.gz", root / "unet.nii.gz", rest)
    raise InputError(folder / "ref_values", "name", name, "a pair of a known group")


def _picture(path: Path, above: int) -> Mask:
    """Return where the brightest colour channel of a picture is above a value; opacity is no colour."""
    stored = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if stored is None:
        raise InputError(path, "file", "unreadable or missing", "a picture")
    brightest = stored[:, :, :3].max(axis=2) if stored.ndim == 3 else stored
    return (brightest > above).astype(np.uint8)


def _png_stack(folder: Path) -> Mask:
    return np.stack([_picture(path, 0) for path in sorted(folder.glob("*.png"))])


def _volumes(truth: Path, prediction: Path, rest: str) -> tuple[tuple[Mask, Mask], tuple[float, float, float]]:
    """Return one label, the number at the end of `rest`, of two NIfTI label maps."""
    label = int(rest.rpartition("label")[2])
    images = [nib.load(path) for path in (truth, prediction)]
    x, y, z = (float(value) for value in images[0].header.get_zooms())
    masks = [(label == np.asanyarray(image.dataobj).T).astype(np.uint8) for image in images]
    return (masks[0], masks[1]), (z, y, x)
