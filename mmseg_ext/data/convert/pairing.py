"""Images and their label files, found and paired by case name."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from mmseg_ext.data.convert.path_patterns import list_files, match_files
from mmseg_ext.suite.dataset_card import DatasetCard
from mmseg_ext.suite.errors import InputError
from mmseg_ext.suite.layouts import (
    ArrayFiles,
    ArrayStacks,
    ImageMaskPairs,
    ItkVolumes,
    Layout,
    NiftiVolumes,
    RunLengthMasks,
)


@dataclass(frozen=True)
class Pair:
    """Image and label file of one case."""

    case: str
    patient: str
    image: Path
    label: Path
    more_images: tuple[Path, ...] = ()
    """Files of further channels, or of further slices of a DICOM series."""
    more_labels: tuple[Path, ...] = ()
    """Masks of further objects, or of further slices."""
    text: str = ""
    """What a sheet of the source says about the image."""

    @property
    def images(self) -> tuple[Path, ...]:
        """All image files."""
        return (self.image, *self.more_images)

    @property
    def labels(self) -> tuple[Path, ...]:
        """All label files."""
        return (self.label, *self.more_labels)


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
    """(slices, H, W) uint8 or uint16, (1, H, W, 3) uint8 RGB, or (slices, H, W, C) uint16 of several channels."""
    labels: np.ndarray
    """(slices, H, W) uint8 class ids; 255 where pixels do not count."""
    spacing: tuple[float, float, float] | None
    """mm between slices, rows and columns."""
    slope: float
    intercept: float
    low: float
    high: float
    text: str = ""
    """What the source says about the case in words."""
    maps: dict[str, np.ndarray] = field(default_factory=dict)
    """(slices, H, W) uint8 of every further map by name."""


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


def pair_by_pattern(card: DatasetCard, root: Path, one_image: bool = True, one_label: bool = True) -> Pairs:
    """Pair the files that the patterns of a card's layout find.

    Args:
        card: The data set card; its layout has `image_files` and `label_files`.
        root: Folder of the unpacked data.
        one_image: Whether a case has one image file (a channel).
        one_label: Whether a case has one label file.

    Raises:
        InputError: If nothing matches, a case has too many or too few files, an image has no label file (unless
            `labelled_only`) or the reverse.
    """
    layout = card.layout
    assert layout.image_files is not None
    assert layout.label_files is not None
    files = list_files(root)
    images = match_files(root, files, layout.image_files, layout.case_pattern, card.channels)
    labels = match_files(root, files, layout.label_files, layout.case_pattern)
    wanted = [case for case in sorted(images) if case not in layout.skip]
    if layout.labelled_only:
        wanted = [case for case in wanted if case in labels]
    _check_complete(root, wanted, labels, layout.label_files)
    _check_complete(root, [case for case in sorted(labels) if case not in layout.skip], images, layout.image_files)
    if not wanted:
        raise _no_match(root, layout.image_files)
    several = any("{channel}" in pattern for pattern in layout.image_files)
    pairs = []
    for case in wanted:
        if one_image:
            _check_count(images[case], len(card.channels) if several else 1, case)
        if one_label:
            _check_count(labels[case], 1, case)
        patient = patient_of(case, layout.patient_pattern, images[case][0])
        more = tuple(images[case][1:]), tuple(labels[case][1:])
        pairs.append(Pair(case, patient, images[case][0], labels[case][0], *more))
    return Pairs(pairs, _skipped(layout, images.keys() | labels.keys()))


def cases_by_pattern(layout: ArrayFiles | RunLengthMasks, root: Path, one_file: bool = True) -> Pairs:
    """Return the cases whose files the `image_files` of a layout find; their labels are taken to be in the same files.

    Args:
        layout: The layout.
        root: Folder of the unpacked data.
        one_file: Whether a case has one file.

    Raises:
        InputError: If nothing matches, or a case has several files where one is expected.
    """
    found = match_files(root, list_files(root), layout.image_files, layout.case_pattern)
    pairs = []
    for case in sorted(found.keys() - layout.skip.keys()):
        first, *more = found[case]
        if one_file:
            _check_count(found[case], 1, case)
        patient = patient_of(case, layout.patient_pattern, first)
        pairs.append(Pair(case, patient, first, first, tuple(more), tuple(more)))
    if not pairs:
        raise _no_match(root, layout.image_files)
    return Pairs(pairs, _skipped(layout, found))


def pair_volume_files(card: DatasetCard, root: Path, endings: Sequence[str]) -> Pairs:
    """Pair volumes by the patterns of the card's layout, or by name in two folders; see the two for errors."""
    layout = card.layout
    if layout.image_files is not None:
        return pair_by_pattern(card, root)
    assert isinstance(layout, NiftiVolumes | ItkVolumes)
    images, labels = find_folder(root, layout.images, "images"), find_folder(root, layout.labels, "labels")
    suffixes = (layout.image_suffix, layout.label_suffix)
    return pair_files(images, labels, suffixes, endings, layout.skip, layout.patient_pattern)


def check_layout(layout: Layout, root: Path) -> None:
    """Check that what a layout names exists; files that are found by patterns are looked for when preparing.

    Raises:
        InputError: If a folder or file is not there.
    """
    named = {"file": layout.file} if isinstance(layout, ArrayStacks) else {}
    named |= {"table": layout.table} if isinstance(layout, RunLengthMasks) else {}
    for key, name in named.items():
        if not (root / name).is_file():
            raise InputError(root / name, f"layout.{key}", "nothing", "an existing file")
    if isinstance(layout, ArrayStacks) or layout.image_files is not None:
        return
    find_folder(root, layout.images, "images")
    if isinstance(layout, ImageMaskPairs):
        find_folder(root, layout.masks, "masks")
    else:
        find_folder(root, layout.labels, "labels")


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
        Pair(case, patient_of(case, patient_pattern, found_images[case]), found_images[case], found_labels[case])
        for case in sorted(wanted_images)
    ]
    present = found_images.keys() | found_labels.keys()
    return Pairs(pairs, {case: reason for case, reason in sorted(skip.items()) if case in present})


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


def _check_complete(root: Path, wanted: list[str], partners: dict[str, list[Path]], patterns: list[str]) -> None:
    alone = [case for case in wanted if case not in partners]
    if alone:
        more = f" (and {len(alone) - 1} more)" if len(alone) > 1 else ""
        expected = f"a file {' or '.join(patterns)}"
        hint = f"Add the file, or list the case under `layout.skip` of the card with a reason{more}."
        raise InputError(root, "case", alone[0], expected, hint)


def _check_count(files: list[Path], expected: int, case: str) -> None:
    if len(files) != expected:
        found = [file.name for file in files]
        raise InputError(files[0].parent, f"files of case {case}", found, f"{expected} file(s)")


def _no_match(root: Path, patterns: Sequence[str]) -> InputError:
    return InputError(root, "files", "none that match", f"files like {' or '.join(patterns)}")


def _skipped(layout: Layout, present: Collection[str]) -> dict[str, str]:
    return {case: reason for case, reason in sorted(layout.skip.items()) if case in present}


def patient_of(case: str, pattern: str | None, file: Path) -> str:
    """Return the patient of a case: the first group of a pattern in its name, or without a pattern the case itself.

    Raises:
        InputError: If the pattern is invalid or is not found; it names the file.
    """
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
