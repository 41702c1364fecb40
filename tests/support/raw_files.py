"""Generated files of every kind a source has, and sources put together from them."""

from __future__ import annotations

import gzip
import io
import shutil
import tarfile
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import scipy.io
import SimpleITK as sitk
from PIL import Image
from support.arrays import write_arrays
from support.dicom import write_dicom
from support.rar_files import write_rar
from support.raw_layouts import LAYOUTS, Items
from support.tiny_data import write_nifti

from mmseg_ext.data.fetch import fetch
from mmseg_ext.data.prepare import prepare
from mmseg_ext.data.prepared import PreparedDataset
from mmseg_ext.suite.catalogue import catalogue
from mmseg_ext.suite.dataset_card import DatasetCard, OpenAccess
from mmseg_ext.suite.layouts import ArrayFiles, ArrayStacks, ImageMaskPairs

SIZE = (16, 18)
"""Height and width of all images."""
SLICES = 3
SPACING = (5.0, 3.0, 2.0)
"""mm between slices, rows and columns of all volumes."""

_VOLUMES = (".nii.gz", ".mhd")


def write_source(card: DatasetCard, folder: Path) -> Path:
    """Write what the source of a card would deliver.

    Args:
        card: The card; its name chooses the layout, its classes the label values.
        folder: An empty folder.

    Returns:
        Folder that holds the archives or, where a person unpacks the data, a folder named like the data set.
    """
    layout, unpacked = LAYOUTS[card.dataset], folder / "unpacked"
    values = sorted(value for spec in card.classes for value in spec.values) + card.ignored_values
    if isinstance(card.layout, ArrayStacks):
        write_arrays(folder / "delivered" / card.layout.file, **_stacks(layout.items, values))
        return folder / "delivered"
    for items in layout.items:
        for index, case in enumerate(items.cases):
            _write_case(unpacked, items, str(case), np.random.default_rng(index), card, values)
    for archive, path in layout.images_alone:
        _write_image(_place(unpacked, archive, path), np.random.default_rng(0), card)
    for (archive, path), text in layout.texts.items():
        _place(unpacked, archive, path).write_text(text)
    for (archive, path), images in layout.sheets.items():
        rows = {"Image": images, "Description": [f"one infected area in {image}" for image in images]}
        pd.DataFrame(rows).to_excel(_place(unpacked, archive, path), index=False)
    delivered = folder / "delivered"
    delivered.mkdir()
    for part in sorted(unpacked.iterdir()):
        if part.name == "local":
            part.rename(delivered / card.dataset)
        else:
            _pack(part, delivered / part.name)
    shutil.rmtree(unpacked)
    return delivered


def prepare_raw(card: DatasetCard, folder: Path) -> PreparedDataset:
    """Return a data set that went the whole way: delivered, fetched, unpacked, converted, split.

    Checksums and counts are left out, since those of generated archives are others.

    Args:
        card: The card.
        folder: A folder for all of it.
    """
    card = card.model_copy(update={"counts": {}})
    if isinstance(card.source, OpenAccess):
        files = [file.model_copy(update={"sha256": None, "md5": None, "bytes": None}) for file in card.source.files]
        card = card.model_copy(update={"source": card.source.model_copy(update={"files": files})})
    folder.mkdir(parents=True, exist_ok=True)
    delivered = write_source(card, folder)
    fetch(card, folder / "raw", delivered, delivered)
    return prepare(card, folder / "raw", folder / "prepared", catalogue().split_file(card))


def _stacks(items: Sequence[Items], values: list[int]) -> dict[str, np.ndarray]:
    """Return arrays with the images, and with the labels, of every part."""
    rng, found = np.random.default_rng(0), {}
    for part in items:
        found[part.image] = rng.integers(0, 256, (len(part.cases), *SIZE, 3)).astype(np.uint8)
        found[part.labels[0]] = np.stack([_bands(values)] * len(part.cases))
    return found


def _write_volume_arrays(place: Callable[[str], Path], image: str, rng: np.random.Generator, values: list[int]) -> None:
    """Write a volume with values from 0 to 1: one file, or one a slice."""
    volume = rng.random((SLICES, *SIZE)).astype(np.float32)
    labels = np.repeat(_bands(values)[None], SLICES, 0)
    if "{slice" not in image:
        write_arrays(place(image), image=volume, label=labels)
        return
    for number in range(SLICES):
        write_arrays(place(image.format(slice=number)), image=volume[number], label=labels[number].astype(np.float32))


def _place(root: Path, archive: str, path: str) -> Path:
    place = root / (archive or "local") / path
    place.parent.mkdir(parents=True, exist_ok=True)
    return place


def _write_case(
    root: Path, items: Items, case: str, rng: np.random.Generator, card: DatasetCard, values: list[int]
) -> None:
    image = items.image.replace("{}", case)
    label_archive = items.label_archive or items.archive
    if isinstance(card.layout, ArrayFiles):
        _write_volume_arrays(lambda name: _place(root, items.archive, name), image, rng, values)
        return
    if "{slice" in image:
        for number in range(1, SLICES + 1):
            # The first file is the topmost slice.
            height = (SLICES - number) * SPACING[0]
            grey = rng.integers(0, 1000, SIZE).astype(np.uint16)
            write_dicom(_place(root, items.archive, image.format(slice=number)), grey, (0, 0, height), SPACING[1:])
            label = items.labels[0].replace("{}", case).format(slice=number)
            _save(_place(root, label_archive, label), _bands(values))
        return
    for channel in card.channels if "{channel}" in image else [""]:
        _write_image(_place(root, items.archive, image.replace("{channel}", channel)), rng, card)
    for number, pattern in enumerate(items.labels):
        labels = _bands(values)
        if len(items.labels) > 1:
            labels[:, np.arange(SIZE[1]) % len(items.labels) != number] = 0
        _write_labels(_place(root, label_archive, pattern.replace("{}", case)), labels, card)


def _bands(values: list[int]) -> np.ndarray:
    """Return a label map that has every value, in bands."""
    dtype = np.uint8 if max(values) < 256 else np.uint16
    pixels = np.arange(SIZE[0] * SIZE[1])
    return np.array(values, dtype)[pixels * len(values) // len(pixels)].reshape(SIZE)


def _write_image(path: Path, rng: np.random.Generator, card: DatasetCard) -> None:
    if path.name.endswith(_VOLUMES):
        _write_volume(path, rng.integers(-900, 900, (SLICES, *SIZE)).astype(np.int16))
        return
    grey = not isinstance(card.layout, ImageMaskPairs) or card.layout.colour == "grey"
    _save(path, rng.integers(0, 256, SIZE if grey else (*SIZE, 3)).astype(np.uint8))


def _write_labels(path: Path, labels: np.ndarray, card: DatasetCard) -> None:
    if path.suffix == ".mat":
        assert isinstance(card.layout, ImageMaskPairs)
        content: dict[str, object] | np.ndarray = labels
        for name in reversed((card.layout.mask_variable or "").split(".")):
            content = {name: content}
        scipy.io.savemat(path, content)
    elif path.suffix == ".xml":
        _write_outline(path)
    elif path.name.endswith(_VOLUMES):
        _write_volume(path, np.repeat(labels[None], SLICES, 0))
    else:
        _save(path, labels)


def _write_outline(path: Path) -> None:
    corners = [(2, 2), (9, 2), (9, 9), (2, 9)]
    vertices = "".join(f'<Vertex X="{x}.5" Y="{y}.5" Z="0"/>' for x, y in corners)
    region = f'<Regions><Region Id="1"><Vertices>{vertices}</Vertices></Region></Regions>'
    path.write_text(f'<Annotations MicronsPerPixel="0.25"><Annotation Id="1">{region}</Annotation></Annotations>')


def _write_volume(path: Path, slices: np.ndarray) -> None:
    """Write (slices, H, W) values in the order of axes of scanners: left, back, up."""
    if path.suffix == ".mhd":
        image = sitk.GetImageFromArray(slices)
        image.SetSpacing(SPACING[::-1])
        sitk.WriteImage(image, str(path))
        return
    upright = slices.transpose(2, 1, 0)[::-1, ::-1]
    write_nifti(path, upright, np.diag([*SPACING[::-1], 1.0]), "LPS")
    assert nib.aff2axcodes(nib.load(path).affine) == ("L", "P", "S")


def _save(path: Path, values: np.ndarray) -> None:
    """Write an image in the format its name says; a label map of colours in VOC style gets a palette."""
    image = Image.fromarray(values)
    if path.suffix == ".gz":
        buffer = io.BytesIO()
        image.save(buffer, "ppm")
        path.write_bytes(gzip.compress(buffer.getvalue()))
        return
    if "SegmentationClass" in path.parts:
        image = Image.fromarray(values, "P")
        image.putpalette(np.random.default_rng(0).integers(0, 256, 768).tolist())
    image.save(path, quality=95)


def _pack(folder: Path, archive: Path) -> None:
    names = sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    if archive.suffix == ".zip":
        with zipfile.ZipFile(archive, "w") as opened:
            for name in names:
                opened.write(folder / name, name)
    elif archive.suffix == ".rar":
        write_rar(archive, [(name.as_posix(), (folder / name).read_bytes()) for name in names])
    else:
        with tarfile.open(archive, "w:gz" if archive.suffix == ".tgz" else "w") as opened:
            for name in names:
                opened.add(folder / name, str(name))
