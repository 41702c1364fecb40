"""One HDF5 or NPZ file with all images of a data set, stacked in arrays, as MedSegBench has it.

A case lies inside the file: its path is that of the file, then the name of the array, then its place in it.
"""

from __future__ import annotations

import math
from pathlib import Path

from mmseg_ext.data.convert.array_files import to_case
from mmseg_ext.data.convert.arrays import array_shape, read_item
from mmseg_ext.data.convert.pairing import ConvertedCase, Pair, Pairs, patient_of
from mmseg_ext.suite.dataset_card import DatasetCard
from mmseg_ext.suite.errors import InputError
from mmseg_ext.suite.layouts import ArrayStacks


def find_pairs(card: DatasetCard, root: Path) -> Pairs:
    """Return the cases of a data set.

    Raises:
        InputError: If the file or an array is missing, or images and labels of a part differ in number or size.
    """
    layout = card.layout
    assert isinstance(layout, ArrayStacks)
    file, colours = root / layout.file, (3,) if layout.colour == "rgb" else ()
    pairs, skipped = [], {}
    for part in layout.parts:
        images, labels = array_shape(file, part.images), array_shape(file, part.labels)
        if len(labels) != 3 or images != (*labels, *colours):
            expected = f"(N, H, W{', 3' if colours else ''}) with labels (N, H, W), found {labels} in {part.labels}"
            raise InputError(file, f"shape of {part.images}", images, expected)
        for index in range(labels[0]):
            case = f"{part.images.replace('/', '_')}_{index:05d}"
            if case in layout.skip:
                skipped[case] = layout.skip[case]
                continue
            patient = patient_of(case, layout.patient_pattern, file)
            places = [file / name / f"{index:05d}" for name in (part.images, part.labels)]
            pairs.append(Pair(case, patient, *places))
    return Pairs(pairs, skipped)


def count_bytes(pair: Pair) -> int:
    """Return the bytes a case takes uncompressed: 8 bits a colour, 16 a grey value, 8 a label."""
    file, name, _ = _split(pair.image)
    size = array_shape(file, name)[1:]
    return math.prod(size) + math.prod(size[:2]) * (1 if len(size) == 3 else 2)


def convert(pair: Pair, card: DatasetCard) -> ConvertedCase:
    """Read one case; see `to_case` and `read_array` for errors."""
    image, label = (read_item(*_split(place)) for place in (pair.image, pair.label))
    return to_case(image[None], label[None], pair.label, card)


def _split(place: Path) -> tuple[Path, str, int]:
    """Return file, array name and index of a path inside a file."""
    file = next(parent for parent in place.parents if parent.is_file())
    return file, place.parent.relative_to(file).as_posix(), int(place.name)
