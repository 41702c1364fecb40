"""Images with the masks of all of them in one table of run lengths, or of polygons."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np

from mmseg_ext.data.convert.class_ids import check_declared, to_class_ids
from mmseg_ext.data.convert.image_mask_pairs import count_bytes as count_bytes
from mmseg_ext.data.convert.image_mask_pairs import read_image
from mmseg_ext.data.convert.object_tables import TableObject, read_coco, read_csv
from mmseg_ext.data.convert.pairing import ConvertedCase, Pair, Pairs, cases_by_pattern
from mmseg_ext.data.intensity import limits
from mmseg_ext.suite.dataset_card import DatasetCard
from mmseg_ext.suite.errors import InputError
from mmseg_ext.suite.layouts import RunLengthMasks


def find_pairs(card: DatasetCard, root: Path) -> Pairs:
    """Return the cases of a data set: the images, each with the table as its label file.

    Raises:
        InputError: If the table is unreadable or not what the card says, an image is not in it, it names an image that
            is not there, or an object has a value that the card does not allow; see also `cases_by_pattern`.
    """
    layout = card.layout
    assert isinstance(layout, RunLengthMasks)
    found, table = cases_by_pattern(layout, root), root / layout.table
    objects = _objects(layout, table)
    cases = {pair.case for pair in found.pairs}
    hint = "Add it, or list the case under `layout.skip` of the card with a reason."
    alone = sorted(cases ^ (objects.keys() - layout.skip.keys()))
    if alone:
        missing = f"image {alone[0]!r} in the table" if alone[0] in cases else f"image file of {alone[0]!r}"
        raise InputError(table, "images", f"no {missing}", "the same images in the table and in the folder", hint)
    fields = {one.value: one.field for case in cases for one in objects[case]}
    for value, field in fields.items():
        check_declared([value], card, table, field)
    return replace(found, pairs=[replace(pair, label=table) for pair in found.pairs])


def convert(pair: Pair, card: DatasetCard) -> ConvertedCase:
    """Read one case; where objects overlap the larger value counts.

    Raises:
        InputError: For an unreadable image, or a mask that does not fit it.
    """
    layout = card.layout
    assert isinstance(layout, RunLengthMasks)
    image = read_image(pair.image, layout.colour)
    shape = image.shape[:2]
    mask = np.zeros(shape, np.int64)
    for one in _objects(layout, pair.label)[pair.case]:
        try:
            inside = one.decode(one.encoded, shape)
        except ValueError as error:
            raise InputError(pair.label, one.place, str(error), f"a mask that fits {pair.image}") from None
        mask[inside] = np.maximum(mask[inside], one.value)
    low, high = limits(image, card.intensity)
    return ConvertedCase(image[None], to_class_ids(mask, card, pair.label)[None], None, 1.0, 0.0, low, high)


def _objects(layout: RunLengthMasks, table: Path) -> dict[str, list[TableObject]]:
    """Return the objects by case; an image without any has an empty list."""
    columns = (layout.case_column, layout.runs_column, layout.value_column)
    return _read(table, table.stat().st_mtime_ns, columns)


@lru_cache(maxsize=1)
def _read(table: Path, changed: int, columns: tuple[str, str, str | None]) -> dict[str, list[TableObject]]:
    return read_coco(table) if table.suffix == ".json" else read_csv(table, *columns)
