"""Images and their label files, found and paired by case name."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mmseg_ext.suite.dataset_card import ClassSpec
from mmseg_ext.suite.errors import InputError


@dataclass(frozen=True)
class Pair:
    """Image and label file of one case."""

    case: str
    patient: str
    image: Path
    label: Path


@dataclass(frozen=True)
class Pairs:
    """All cases of a data set."""

    pairs: list[Pair]
    skipped: dict[str, str]
    """Cases left out because the card says so, with its reason."""


@dataclass(frozen=True)
class ConvertedCase:
    """One case ready to be written in the prepared form."""

    images: np.ndarray
    """(slices, H, W) uint8 or uint16, or (1, H, W, 3) uint8 RGB."""
    labels: np.ndarray
    """(slices, H, W) uint8 class ids."""
    spacing: tuple[float, float, float] | None
    """mm between slices, rows and columns."""
    slope: float
    intercept: float
    low: float
    high: float


def find_folder(root: Path, candidates: str | list[str], field: str) -> Path:
    """Return the first of the candidate folders that exists below `root`.

    Raises:
        InputError: If none does.
    """
    names = [candidates] if isinstance(candidates, str) else candidates
    for name in names:
        if (root / name).is_dir():
            return root / name
    present = sorted(path.name for path in root.iterdir() if path.is_dir()) if root.is_dir() else "no such folder"
    raise InputError(root, f"layout.{field}", present, f"a folder {' or '.join(names)} in it")


def pair_files(
    images: Path,
    labels: Path,
    suffixes: tuple[str, str],
    endings: Sequence[str],
    skip: dict[str, str],
    patient_pattern: str | None,
) -> Pairs:
    """Pair the files of two folders by case name: the file name without ending and suffix.

    Files with other endings and hidden files are no cases.

    Args:
        images: Folder of the images.
        labels: Folder of the label files.
        suffixes: What follows the case name in the names of images and of label files.
        endings: File endings that count, in lower case, with their dot.
        skip: Cases to leave out, with reasons.
        patient_pattern: Regular expression whose first group is the patient; None: a case is a patient.

    Raises:
        InputError: For an image without a label file or the reverse, two files of one case, no case at all,
            or a pattern that is invalid or does not match.
    """
    found_images = _cases(images, suffixes[0], endings)
    found_labels = _cases(labels, suffixes[1], endings)
    wanted_images = [case for case in found_images if case not in skip]
    wanted_labels = [case for case in found_labels if case not in skip]
    _check_partners(images, wanted_images, labels, found_labels, suffixes[1], endings)
    _check_partners(labels, wanted_labels, images, found_images, suffixes[0], endings)
    if not wanted_images:
        raise InputError(images, "files", "none", f"files named <case>{suffixes[0]} with ending {', '.join(endings)}")
    pairs = [
        Pair(case, _patient(case, patient_pattern, found_images[case]), found_images[case], found_labels[case])
        for case in sorted(wanted_images)
    ]
    present = found_images.keys() | found_labels.keys()
    return Pairs(pairs, {case: reason for case, reason in sorted(skip.items()) if case in present})


def to_class_ids(values: np.ndarray, classes: Sequence[ClassSpec], file: Path) -> np.ndarray:
    """Return a label map as class ids.

    Args:
        values: Values of the source's label file, of any shape.
        classes: Classes with the values that mean them.
        file: The label file, for error messages.

    Returns:
        uint8 array of the same shape.

    Raises:
        InputError: For a value that is no whole number, or that no class declares.
    """
    present, inverse = np.unique(values, return_inverse=True)
    declared = {value: class_id for class_id, spec in enumerate(classes) for value in spec.values}
    for value in present.tolist():
        if value != round(value):
            raise InputError(file, "label value", value, "whole numbers")
        if value not in declared:
            expected = f"a value that a class declares: one of {sorted(declared)}"
            raise InputError(file, "label value", int(value), expected, "Add it to `classes` of the data set card.")
    ids = np.array([declared[value] for value in present.tolist()], np.uint8)
    return ids[inverse].reshape(values.shape)


def _cases(folder: Path, suffix: str, endings: Sequence[str]) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        ending = next((ending for ending in endings if path.name.lower().endswith(ending)), None)
        if ending is None or path.name.startswith(".") or not path.is_file():
            continue
        stem = path.name[: -len(ending)]
        if not stem.endswith(suffix):
            continue
        case = stem.removesuffix(suffix)
        if case in found:
            raise InputError(folder, "files", [found[case].name, path.name], f"one file for case {case!r}")
        found[case] = path
    return found


def _check_partners(
    folder: Path,
    wanted: list[str],
    other: Path,
    partners: dict[str, Path],
    suffix: str,
    endings: Sequence[str],
) -> None:
    alone = sorted(set(wanted) - partners.keys())
    if alone:
        more = f" (and {len(alone) - 1} more)" if len(alone) > 1 else ""
        hint = f"Add the file, or list the case under `layout.skip` of the card with a reason{more}."
        raise InputError(
            folder,
            "case",
            alone[0],
            f"a file {alone[0]}{suffix} with ending {', '.join(endings)} in {other}",
            hint,
        )


def _patient(case: str, pattern: str | None, file: Path) -> str:
    if pattern is None:
        return case
    try:
        match = re.search(pattern, case)
        patient = match.group(1) if match else None
    except (re.error, IndexError) as error:
        found = f"{pattern} ({error})"
        raise InputError("data set card", "layout.patient_pattern", found, "a pattern with one group") from None
    if not patient:
        raise InputError(file, "case", case, f"a name that matches layout.patient_pattern {pattern!r}")
    return patient
