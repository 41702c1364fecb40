"""Images with the masks of all of them in one table of run lengths."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mmseg_ext.data.convert.class_ids import to_class_ids
from mmseg_ext.data.convert.image_mask_pairs import count_bytes as count_bytes
from mmseg_ext.data.convert.image_mask_pairs import read_image
from mmseg_ext.data.convert.mask_files import IMAGE_ENDINGS
from mmseg_ext.data.convert.pairing import ConvertedCase, Pair, Pairs, cases_by_pattern
from mmseg_ext.data.convert.run_lengths import from_counts, from_pairs
from mmseg_ext.data.intensity import limits
from mmseg_ext.suite.dataset_card import DatasetCard
from mmseg_ext.suite.errors import InputError
from mmseg_ext.suite.files import read_json
from mmseg_ext.suite.layouts import RunLengthMasks

_OBJECT_VALUE = 255


@dataclass(frozen=True)
class _Object:
    """One object of an image."""

    value: int
    """Label value of its pixels."""
    runs: Any
    """As the table has them."""
    decode: Callable[[Any, tuple[int, int]], np.ndarray]


def find_pairs(card: DatasetCard, root: Path) -> Pairs:
    """Return the cases of a data set: the images, each with the table as its label file.

    Raises:
        InputError: If the table is unreadable or has other columns, an image is not in it, or it names an image that
            is not there; see also `cases_by_pattern`.
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
    return replace(found, pairs=[replace(pair, label=table) for pair in found.pairs])


def convert(pair: Pair, card: DatasetCard) -> ConvertedCase:
    """Read one case; where objects overlap the larger value counts.

    Raises:
        InputError: For an unreadable image, runs that do not fit it, or a label value that the card does not allow.
    """
    layout = card.layout
    assert isinstance(layout, RunLengthMasks)
    image = read_image(pair.image, layout.colour)
    shape = image.shape[:2]
    mask = np.zeros(shape, np.int64)
    for number, one in enumerate(_objects(layout, pair.label)[pair.case], start=1):
        try:
            inside = one.decode(one.runs, shape)
        except ValueError as error:
            expected = f"run lengths that fit {pair.image}"
            raise InputError(pair.label, f"object {number} of image {pair.case}", str(error), expected) from None
        mask[inside] = np.maximum(mask[inside], one.value)
    low, high = limits(image, card.intensity)
    return ConvertedCase(image[None], to_class_ids(mask, card, pair.label)[None], None, 1.0, 0.0, low, high)


def _objects(layout: RunLengthMasks, table: Path) -> dict[str, list[_Object]]:
    """Return the objects by case; an image without any has an empty list."""
    columns = (layout.case_column, layout.runs_column, layout.value_column)
    return _read(table, table.stat().st_mtime_ns, columns)


@lru_cache(maxsize=1)
def _read(table: Path, changed: int, columns: tuple[str, str, str | None]) -> dict[str, list[_Object]]:
    return _read_coco(table) if table.suffix == ".json" else _read_csv(table, *columns)


def _read_csv(table: Path, case_column: str, runs_column: str, value_column: str | None) -> dict[str, list[_Object]]:
    try:
        rows = pd.read_csv(table, dtype=str, keep_default_na=False)
    except (OSError, ValueError) as error:
        raise InputError(table, "content", str(error), "a CSV table") from None
    wanted = [name for name in (case_column, runs_column, value_column) if name]
    if not set(wanted) <= set(rows.columns):
        raise InputError(table, "columns", list(rows.columns), f"among them {', '.join(wanted)}")
    values = rows[value_column] if value_column else [str(_OBJECT_VALUE)] * len(rows)
    found: dict[str, list[_Object]] = defaultdict(list)
    for line, (name, runs, value) in enumerate(zip(rows[case_column], rows[runs_column], values, strict=True), start=2):
        objects = found[_stem(name)]
        if not runs.strip():
            continue
        if not value.isdecimal():
            raise InputError(table, f"{value_column} in line {line}", value, "a whole number")
        objects.append(_Object(int(value), runs, from_pairs))
    return dict(found)


def _read_coco(table: Path) -> dict[str, list[_Object]]:
    content = read_json(table)
    try:
        names = {image["id"]: _stem(image["file_name"]) for image in content["images"]}
        found: dict[str, list[_Object]] = {name: [] for name in names.values()}
        for annotation in content["annotations"]:
            runs = annotation["segmentation"]
            if not isinstance(runs, dict):
                field = f"segmentation of annotation {annotation['id']}"
                hint = "Turn polygons into run lengths first, or draw them as mask images."
                raise InputError(table, field, "polygons", "run lengths: size and counts", hint)
            found[names[annotation["image_id"]]].append(_Object(int(annotation["category_id"]), runs, _from_coco))
    except (KeyError, TypeError) as error:
        raise InputError(table, "content", f"no {error}", "images and annotations as COCO has them") from None
    return found


def _from_coco(runs: dict[str, Any], shape: tuple[int, int]) -> np.ndarray:
    if list(runs.get("size", ())) != list(shape):
        raise ValueError(f"size {runs.get('size')}, not {list(shape)}")
    return from_counts(runs["counts"], shape)


def _stem(name: str) -> str:
    """Return an image's name without folders and ending."""
    stem = name.rsplit("/", 1)[-1]
    ending = next((ending for ending in IMAGE_ENDINGS if stem.lower().endswith(ending)), "")
    return stem[: len(stem) - len(ending)]
