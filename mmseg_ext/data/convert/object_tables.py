"""Tables that hold the objects of many images: CSV files of run lengths, and COCO's JSON files."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mmseg_ext.data.convert.mask_files import stem_of
from mmseg_ext.data.convert.polygons import from_polygons
from mmseg_ext.data.convert.run_lengths import from_counts, from_pairs
from mmseg_ext.suite.errors import InputError
from mmseg_ext.suite.files import read_json

_OBJECT_VALUE = 255


@dataclass(frozen=True)
class TableObject:
    """One object of an image."""

    value: int
    """Label value of its pixels, from 1."""
    field: str
    """What holds the value in the table, and where, for error messages."""
    place: str
    """What holds the mask in the table, and where, for error messages."""
    encoded: Any
    """The mask as the table has it."""
    decode: Callable[[Any, tuple[int, int]], np.ndarray]
    """Turns it into (H, W) booleans; raises a ValueError if it does not fit height and width."""


def read_csv(table: Path, case_column: str, runs_column: str, value_column: str | None) -> dict[str, list[TableObject]]:
    """Return the objects by image, named without folders and ending, of a table with a row an object.

    Args:
        table: The file.
        case_column: Column with the image.
        runs_column: Column with `start length` pairs; an image without any object has one row where it is empty.
        value_column: Column with the label value; None: all objects have 255.

    Raises:
        InputError: If the table is unreadable, has other columns, or a label value is no whole number from 1.
    """
    try:
        rows = pd.read_csv(table, dtype=str, keep_default_na=False)
    except (OSError, ValueError) as error:
        raise InputError(table, "content", str(error), "a CSV table") from None
    wanted = [name for name in (case_column, runs_column, value_column) if name]
    if not set(wanted) <= set(rows.columns):
        raise InputError(table, "columns", list(rows.columns), f"among them {', '.join(wanted)}")
    values = rows[value_column] if value_column else [str(_OBJECT_VALUE)] * len(rows)
    found: dict[str, list[TableObject]] = defaultdict(list)
    for line, (name, runs, value) in enumerate(zip(rows[case_column], rows[runs_column], values, strict=True), start=2):
        objects = found[stem_of(name)]
        if not runs.strip():
            continue
        field = f"{value_column} in line {line}"
        if not value.isdecimal():
            raise InputError(table, field, value, "a whole number")
        objects.append(TableObject(_value(int(value), table, field), field, f"line {line}", runs, from_pairs))
    return dict(found)


def read_coco(table: Path) -> dict[str, list[TableObject]]:
    """Return the objects by image, named without folders and ending, of COCO annotations.

    A segmentation is a list of polygons, or run lengths as crowd regions have them; the label value is the category.

    Raises:
        InputError: If the file is no such JSON, two images have one id or one name, an annotation is of an image that
            is not listed, or its category is no whole number from 1.
    """
    content = read_json(table)
    try:
        images = _images(content["images"], table)
        found: dict[str, list[TableObject]] = {name: [] for name, _ in images.values()}
        for annotation in content["annotations"]:
            number, image, category = (annotation[key] for key in ("id", "image_id", "category_id"))
            if image not in images:
                raise InputError(table, f"image_id of annotation {number}", image, "the id of one of its images")
            field = f"category_id of annotation {number}"
            if type(category) is not int:
                raise InputError(table, field, category, "a whole number")
            name, size = images[image]
            encoded = {"segmentation": annotation["segmentation"], "size": size}
            value, place = _value(category, table, field), f"segmentation of annotation {number}"
            found[name].append(TableObject(value, field, place, encoded, _from_coco))
    except (KeyError, TypeError) as error:
        raise InputError(table, "content", f"no {error}", "images and annotations as COCO has them") from None
    return found


def _images(listed: Any, table: Path) -> dict[Any, tuple[str, list[int] | None]]:
    """Return the name of each image and, where it is given, its height and width by id."""
    found: dict[Any, tuple[str, list[int] | None]] = {}
    names: dict[str, str] = {}
    for image in listed:
        file = image["file_name"]
        if image["id"] in found:
            raise InputError(table, f"id of image {file}", image["id"], "every id once")
        name = stem_of(file)
        if name in names:
            expected = f"names that differ without folders and ending; there is {names[name]!r} too"
            raise InputError(table, f"file_name of image {image['id']}", file, expected)
        names[name] = file
        size = [image["height"], image["width"]] if {"height", "width"} <= image.keys() else None
        found[image["id"]] = (name, size)
    return found


def _value(value: int, table: Path, field: str) -> int:
    # Pixels of no object have 0: an object of that value could not be told from them.
    if value < 1:
        raise InputError(table, field, value, "a number from 1; 0 is what lies outside all objects")
    return value


def _from_coco(encoded: dict[str, Any], shape: tuple[int, int]) -> np.ndarray:
    segmentation, size = encoded["segmentation"], encoded["size"]
    if size not in (None, list(shape)):
        raise ValueError(f"an image of height and width {size}, not {list(shape)}")
    if not isinstance(segmentation, dict):
        return from_polygons(segmentation, shape)
    if list(segmentation.get("size", ())) != list(shape):
        raise ValueError(f"size {segmentation.get('size')}, not {list(shape)}")
    if "counts" not in segmentation:
        raise ValueError("no counts")
    return from_counts(segmentation["counts"], shape)
