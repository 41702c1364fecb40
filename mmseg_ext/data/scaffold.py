"""A first card for a new data set, with what can be read from its files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from string import Template

import nibabel as nib
import numpy as np
import yaml
from nibabel.filebasedimages import ImageFileError
from PIL import Image

from mmseg_ext.suite.dataset_card import DatasetCard
from mmseg_ext.suite.errors import InputError, unknown_name
from mmseg_ext.suite.files import write_text
from mmseg_ext.suite.loading import parse

MAX_CLASSES = 64
"""More label values than this are no classes."""

_FOLDERS = {
    "nifti_volumes": (("images", "imagesTr", "image"), ("labels", "labelsTr", "label", "masks"), "labels"),
    "image_mask_pairs": (("images", "image", "imgs"), ("masks", "mask", "labels", "label"), "masks"),
}
_ENDINGS = {
    "nifti_volumes": (".nii.gz", ".nii"),
    "image_mask_pairs": (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp"),
}
_CARD = Template("""\
# yaml-language-server: $$schema=../../workflow/schemas/dataset.schema.json
# Scaffolded from $cases cases; what is marked FILL IN only you can know.
dataset: $name
title: $title  # FILL IN: a name for people
# homepage: https://…
# citation: "Authors, Title, Venue Year, doi …"
modality: unknown  # FILL IN: CT, MRI, dermoscopy, microscopy…
licence: {name: unknown}  # FILL IN: SPDX identifier and, if known, `redistribution: true` or `false`
source: {access: local, path: $path}
layout:
  layout: $layout
$layout_lines  # If several cases belong to one patient: a regular expression whose first group is the patient.
  # patient_pattern: "^(patient\\\\d+)"
channels: $channels
# Values found in the label files of all cases; rename the classes.
classes:
$classes
$intensity_comment
intensity: $intensity
$fit
unit: $unit
split: {kind: derived, train: 0.6, val: 0.1, test: 0.3, seed: 0}
""")


@dataclass(frozen=True)
class _Found:
    """What the files say."""

    images: Path
    labels: Path
    image_suffix: str
    label_suffix: str
    cases: int
    values: list[int]
    lossy: bool
    colour: bool


def scaffold_card(name: str, layout: str, data: Path, configs: Path) -> Path:
    """Write `configs/datasets/<name>.yaml`, valid as it is, and return its path.

    Args:
        name: Name of the data set.
        layout: nifti_volumes or image_mask_pairs.
        data: Folder of the unpacked data, with a folder of images and one of labels.
        configs: The `configs/` folder.

    Raises:
        InputError: If the card exists, the name or layout is impossible, or the folder does not hold images and
            label files that belong together.
    """
    out = configs / "datasets" / f"{name}.yaml"
    if out.exists():
        raise InputError(out, "file", "an existing card", "a name that is not taken", "Edit the card, or remove it.")
    if layout not in _FOLDERS:
        raise unknown_name("command line", "--layout", layout, "a layout that can be scaffolded", _FOLDERS)
    found = _look(layout, data)
    text = _CARD.substitute(
        name=name, title=name.replace("_", " ").capitalize(), path=_quoted(str(data.resolve())), layout=layout,
        cases=found.cases, **_layout(layout, data, found), **_content(layout, found),
    )  # fmt: skip
    card = parse(DatasetCard, yaml.safe_load(text), out)
    assert card.dataset == name
    write_text(out, text)
    return out


def _look(layout: str, data: Path) -> _Found:
    image_names, label_names, key = _FOLDERS[layout]
    images, labels = _folder(data, image_names, "images"), _folder(data, label_names, key)
    image_files, label_files = _files(images, _ENDINGS[layout]), _files(labels, _ENDINGS[layout])
    image_suffix, label_suffix = _suffixes(data, list(image_files), list(label_files))
    values, lossy = _label_values(labels, list(label_files.values()), layout)
    colour = layout == "image_mask_pairs" and _is_colour(next(iter(image_files.values())))
    return _Found(images, labels, image_suffix, label_suffix, len(label_files), values, lossy, colour)


def _folder(data: Path, names: tuple[str, ...], what: str) -> Path:
    present = sorted(path.name for path in data.iterdir() if path.is_dir()) if data.is_dir() else "no such folder"
    for name in names:
        if name in present:
            return data / name
    raise InputError(data, what, present, f"a folder {' or '.join(names)}")


def _files(folder: Path, endings: tuple[str, ...]) -> dict[str, Path]:
    """Return the files with one of the endings by their name without it."""
    found = {}
    for path in sorted(folder.iterdir()):
        ending = next((one for one in endings if path.name.lower().endswith(one)), None)
        if ending is not None and not path.name.startswith("."):
            found[path.name[: -len(ending)]] = path
    if not found:
        raise InputError(folder, "files", "none", f"files ending in {', '.join(endings)}")
    return found


def _suffixes(data: Path, images: list[str], labels: list[str]) -> tuple[str, str]:
    """Return what follows the case in the names of images and of labels such that the cases are the same."""
    for image_suffix in _common_tails(images):
        for label_suffix in _common_tails(labels):
            if {n.removesuffix(image_suffix) for n in images} == {n.removesuffix(label_suffix) for n in labels}:
                return image_suffix, label_suffix
    raise InputError(
        data, "file names", [images[0], labels[0]], "an image and a label file of the same name for each case"
    )


def _common_tails(names: list[str]) -> Iterator[str]:
    """Yield no tail, and each tail from a `_` or `-` on that all names share and that leaves something of them."""
    yield ""
    first = names[0]
    for start in range(len(first) - 1, 0, -1):
        if first[start] in "_-" and all(name.endswith(first[start:]) and name != first[start:] for name in names):
            yield first[start:]


def _label_values(folder: Path, files: list[Path], layout: str) -> tuple[list[int], bool]:
    """Return the values in the label files, background first, and whether a lossy codec has blurred 0 and 255."""
    found: set[float] = set()
    for path in files:
        found.update(np.unique(_read(path, layout)).tolist())
    lossy = layout == "image_mask_pairs" and any(path.suffix.lower() in (".jpg", ".jpeg") for path in files)
    if lossy:
        found = {0, 255}
    if any(not np.isfinite(value) or value != round(value) or value < 0 for value in found) or len(found) > MAX_CLASSES:
        some = sorted(found)[:5]
        raise InputError(
            folder, "label values", some, f"at most {MAX_CLASSES} whole numbers from 0", "Are these label maps?"
        )
    values = sorted({0, *(int(value) for value in found)})
    if len(values) < 2:
        raise InputError(folder, "label values", values, "a value other than 0, the background")
    return values, lossy


def _read(path: Path, layout: str) -> np.ndarray:
    try:
        if layout == "nifti_volumes":
            return np.asanyarray(nib.load(path).dataobj)  # type: ignore[attr-defined]
        with Image.open(path) as image:
            values = np.array(image.convert("L") if image.mode == "1" else image)
    except (ImageFileError, OSError, EOFError, ValueError) as error:
        raise InputError(path, "content", str(error), "a readable label file") from None
    return values[:, :, 0] if values.ndim == 3 else values


def _is_colour(path: Path) -> bool:
    try:
        with Image.open(path) as image:
            return len(image.getbands()) >= 3 or image.mode == "P"
    except OSError as error:
        raise InputError(path, "content", str(error), "a readable image") from None


def _layout(layout: str, data: Path, found: _Found) -> dict[str, str]:
    key = _FOLDERS[layout][2]
    lines = [f"  images: {found.images.relative_to(data)}", f"  {key}: {found.labels.relative_to(data)}"]
    suffix_keys = {"image_suffix": found.image_suffix, f"{key.removesuffix('s')}_suffix": found.label_suffix}
    lines += [f"  {name}: {_quoted(suffix)}" for name, suffix in suffix_keys.items() if suffix]
    if layout == "image_mask_pairs":
        lines.append(f"  colour: {'rgb' if found.colour else 'grey'}")
    if found.lossy:
        lines.append("  binarise_at: 128  # JPEG has blurred the borders of the masks")
    return {"layout_lines": "".join(f"{line}\n" for line in lines)}


def _content(layout: str, found: _Found) -> dict[str, str]:
    volumes = layout == "nifti_volumes"
    names = {value: f"class_{value}" for value in found.values} if len(found.values) > 2 else {}
    names |= {0: "background"} | ({found.values[1]: "foreground"} if len(found.values) == 2 else {})
    comment = "# Of each image, from its darkest to its brightest."
    if volumes:
        comment = "# For CT a window in HU: {mode: window, low: -160, high: 240}."
    elif found.colour:
        comment = "# Suits photographs of 8 bits a channel."
    photograph = "{mode: window, low: 0, high: 255}" if found.colour else "{mode: percentiles}"
    return {
        "channels": "[red, green, blue]" if found.colour else "[grey]",
        "classes": "\n".join(f"  - {{name: {names[value]}, values: [{value}]}}" for value in found.values),
        "intensity_comment": comment,
        "intensity": "{mode: percentiles}" if volumes else photograph,
        "fit": f"fit: {'pad' if volumes else 'resize'}",
        "unit": "mm" if volumes else "px",
    }


def _quoted(text: str) -> str:
    """Return a YAML scalar."""
    return yaml.safe_dump(text, default_style='"', width=10000).strip()
