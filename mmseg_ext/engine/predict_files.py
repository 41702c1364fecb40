"""Segment a user's own images or volumes with a finished run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import nibabel as nib
import numpy as np
from pydantic import TypeAdapter

from mmseg_ext.data.convert import image_mask_pairs, nifti_volumes
from mmseg_ext.data.intensity import limits, to_unit
from mmseg_ext.data.prepared import write_image
from mmseg_ext.engine.predict import LoadedRun, load_run
from mmseg_ext.suite.dataset_card import ImageMaskPairs, Intensity, Layout, NiftiVolumes
from mmseg_ext.suite.errors import InputError
from mmseg_ext.suite.files import replacing

_RESULT_ENDINGS = (".nii.gz", ".png")

# Okabe and Ito's colours, told apart by colour-blind readers; blue, green, red order.
_CONTOURS = [(0, 159, 230), (233, 180, 86), (115, 158, 0), (66, 228, 240), (178, 114, 0), (0, 94, 213), (167, 121, 204)]


def predict_files(
    run: Path, files: Sequence[Path], out: Path, selection: str = "last", overlays: bool = False
) -> Iterator[Path]:
    """Segment files and yield the path of every label map, as soon as it is written.

    A volume gives `<name>.nii.gz` with the orientation, shape and affine of the file; an image gives `<name>.png` with
    class ids. Both are read and scaled as the training data of the run were.

    Args:
        run: Folder of a finished run.
        files: NIfTI volumes or images; which of the two the run was trained on decides.
        out: Folder for the results; made if needed.
        selection: Which weights: `last` or `best_val`.
        overlays: Also write `<name>_overlay.png`, contours of the classes over the image; of a volume, the slice with
            most foreground.

    Raises:
        InputError: If a file is missing, of the wrong kind or unreadable, two files would give one result, or the run
            is not finished. All names are checked before the first file is segmented.
    """
    loaded = load_run(run, selection)
    layout: Layout = TypeAdapter(Layout).validate_python(loaded.facts["layout"])
    intensity: Intensity = TypeAdapter(Intensity).validate_python(loaded.facts["intensity"])
    volumes = not isinstance(layout, ImageMaskPairs)
    segment = _segment_volume if volumes else _segment_image
    targets = _targets(files, out, nifti_volumes.ENDINGS if volumes else image_mask_pairs.ENDINGS, volumes)
    for path, target in targets.items():
        unit, labels = segment(loaded, path, target, layout, intensity)
        if overlays:
            with replacing(out / f"{_stem(target, _RESULT_ENDINGS)}_overlay.png") as part:
                write_image(part, draw_contours(unit, labels))
        yield target


def draw_contours(unit: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return an image with the outlines of its classes.

    Args:
        unit: (H, W) or (H, W, 3) float32 in [0, 1].
        labels: (H, W) uint8 class ids.

    Returns:
        (H', W', 3) uint8 RGB, enlarged by a whole number to at least 512 pixels so that thin outlines hide little.
    """
    factor = max(1, -(-512 // max(labels.shape)))
    size = (labels.shape[1] * factor, labels.shape[0] * factor)
    grey = np.rint(unit * 255).astype(np.uint8)
    picture = cv2.cvtColor(grey, cv2.COLOR_GRAY2RGB) if grey.ndim == 2 else grey
    picture = cv2.resize(picture, size, interpolation=cv2.INTER_CUBIC)
    for class_id in range(1, int(labels.max()) + 1):
        mask = cv2.resize((labels == class_id).astype(np.uint8), size, interpolation=cv2.INTER_NEAREST)
        outlines, _ = cv2.findContours(mask, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
        colour = _CONTOURS[(class_id - 1) % len(_CONTOURS)][::-1]
        picture = cv2.drawContours(np.ascontiguousarray(picture), outlines, -1, colour, 1, cv2.LINE_AA)
    return picture


def _segment_volume(
    loaded: LoadedRun, path: Path, target: Path, layout: NiftiVolumes, intensity: Intensity
) -> tuple[np.ndarray, np.ndarray]:
    """Write the label map of a volume; return its slice with most foreground, in [0, 1], and that slice's labels."""
    volume = nifti_volumes.read_volume(path, layout.slice_axis)
    low, high = limits(volume.values * volume.slope + volume.intercept, intensity)
    scaling = (volume.slope, volume.intercept, low, high)
    labels = loaded.predictor.segment(volume.values, *scaling)
    with replacing(target) as part:
        nib.save(volume.restore(labels), part)
    shown = int((labels > 0).sum((1, 2)).argmax())
    return to_unit(volume.values[shown], *scaling), labels[shown]


def _segment_image(
    loaded: LoadedRun, path: Path, target: Path, layout: ImageMaskPairs, intensity: Intensity
) -> tuple[np.ndarray, np.ndarray]:
    """Write the label map of an image; return the image in [0, 1] and its labels."""
    image = image_mask_pairs.read_image(path, layout.colour)
    scaling = (1.0, 0.0, *limits(image, intensity))
    labels = loaded.predictor.segment(image[None], *scaling)[0]
    with replacing(target) as part:
        write_image(part, labels)
    return to_unit(image, *scaling), labels


def _targets(files: Sequence[Path], out: Path, endings: Sequence[str], volumes: bool) -> dict[Path, Path]:
    """Return where the result of each file goes."""
    targets: dict[Path, Path] = {}
    for path in files:
        if not path.is_file():
            raise InputError(path, "file", "nothing", "an existing file")
        if not path.name.lower().endswith(tuple(endings)):
            kind = "a volume" if volumes else "an image"
            raise InputError(path, "file name", path.name, f"{kind} as the run was trained on: {', '.join(endings)}")
        target = out / f"{_stem(path, endings)}{_RESULT_ENDINGS[0] if volumes else _RESULT_ENDINGS[1]}"
        if target in targets.values():
            raise InputError(path, "file name", path.name, f"names that differ: {target} would be written twice")
        if target.exists() and target.samefile(path):
            raise InputError("command line", "--out", str(out), "another folder than the one of the files")
        targets[path] = target
    return targets


def _stem(path: Path, endings: Sequence[str]) -> str:
    ending = next(ending for ending in endings if path.name.lower().endswith(ending))
    return path.name[: -len(ending)]
