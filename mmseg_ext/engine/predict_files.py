"""Segment a user's own images or volumes with a finished run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import nibabel as nib
import numpy as np
from pydantic import TypeAdapter

from mmseg_ext.data.convert import image_mask_pairs, nifti_volumes
from mmseg_ext.data.convert.volumes import check_same_space, join_channels
from mmseg_ext.data.intensity import limits, to_unit
from mmseg_ext.data.prepared import write_image
from mmseg_ext.engine.predict import LoadedRun, load_run
from mmseg_ext.engine.predict_inputs import RESULT_ENDINGS, find_inputs, stem
from mmseg_ext.suite.dataset_card import Intensity
from mmseg_ext.suite.files import replacing
from mmseg_ext.suite.layouts import DicomSeries, FlatImages, ItkVolumes, Layout, NiftiVolumes

VolumeLayout = NiftiVolumes | ItkVolumes | DicomSeries

# Okabe and Ito's colours, told apart by colour-blind readers; blue, green, red order.
_CONTOURS = [(0, 159, 230), (233, 180, 86), (115, 158, 0), (66, 228, 240), (178, 114, 0), (0, 94, 213), (167, 121, 204)]


def predict_files(
    run: Path, files: Sequence[Path], out: Path, selection: str = "last", overlays: bool = False
) -> Iterator[Path]:
    """Segment files and yield the path of every label map, as soon as it is written.

    A volume gives `<name>.nii.gz` with the orientation, shape and affine of the file; an image gives `<name>.png` with
    class ids. Both are read and scaled as the training data of the run were. The channels of a volume are a file each,
    named as those of the training data: `<name>_flair.nii.gz`.

    Args:
        run: Folder of a finished run.
        files: NIfTI volumes or images; which of the two the run was trained on decides.
        out: Folder for the results; made if needed.
        selection: Which weights: `last` or `best_val`.
        overlays: Also write `<name>_overlay.png`, contours of the classes over the image; of a volume, the slice with
            most foreground.

    Raises:
        InputError: If a file is unreadable, or the run is not finished; see also `find_inputs`. All names are checked
            before the first file is segmented.
    """
    loaded = load_run(run, selection)
    layout: Layout = TypeAdapter(Layout).validate_python(loaded.facts["layout"])
    intensity: Intensity = TypeAdapter(Intensity).validate_python(loaded.facts["intensity"])
    segment = _segment_volume if layout.is_volume else _segment_image
    for target, paths in find_inputs(files, layout, loaded.facts["channels"], out).items():
        unit, labels = segment(loaded, paths, target, layout, intensity)
        if overlays:
            with replacing(out / f"{stem(target, RESULT_ENDINGS)}_overlay.png") as part:
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
    loaded: LoadedRun, paths: Sequence[Path], target: Path, layout: VolumeLayout, intensity: Intensity
) -> tuple[np.ndarray, np.ndarray]:
    """Write the label map of a volume; return its slice with most foreground, in [0, 1], and that slice's labels.

    Of several channels the first is shown.
    """
    volumes = [nifti_volumes.read_volume(path, layout.slice_axis) for path in paths]
    first = volumes[0]
    for volume, path in zip(volumes[1:], paths[1:], strict=True):
        check_same_space(first.source, paths[0], volume.source, path)
    if len(volumes) == 1:
        low, high = limits(first.values * first.slope + first.intercept, intensity)
        values, scaling = first.values, (first.slope, first.intercept, low, high)
    else:
        values, scaling = join_channels(volumes, intensity)
    labels = loaded.predictor.segment(values, *scaling)
    with replacing(target) as part:
        nib.save(first.restore(labels), part)
    shown = int((labels > 0).sum((1, 2)).argmax())
    unit = to_unit(values[shown], *scaling)
    return unit if len(volumes) == 1 else unit[:, :, 0], labels[shown]


def _segment_image(
    loaded: LoadedRun, paths: Sequence[Path], target: Path, layout: FlatImages, intensity: Intensity
) -> tuple[np.ndarray, np.ndarray]:
    """Write the label map of an image; return the image in [0, 1] and its labels."""
    image = image_mask_pairs.read_image(paths[0], layout.colour)
    scaling = (1.0, 0.0, *limits(image, intensity))
    labels = loaded.predictor.segment(image[None], *scaling)[0]
    with replacing(target) as part:
        write_image(part, labels)
    return to_unit(image, *scaling), labels
