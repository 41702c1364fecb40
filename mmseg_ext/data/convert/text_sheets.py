"""Sheets with a text about each image: tables whose columns name the image and hold the text."""

from __future__ import annotations

import zlib
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path
from xml.etree.ElementTree import ParseError
from zipfile import BadZipFile

import pandas as pd

from mmseg_ext.data.convert.mask_files import stem_of
from mmseg_ext.data.convert.pairing import Pair, Pairs
from mmseg_ext.data.convert.path_patterns import list_files
from mmseg_ext.suite.errors import InputError
from mmseg_ext.suite.layouts import ImageMaskPairs, TextSheets

_UNREADABLE = (OSError, ValueError, KeyError, EOFError, BadZipFile, ParseError, zlib.error)
Rows = dict[str, tuple[str, Path, str]]
"""By the image's name without folders and ending: its text, the sheet, and the row it stands in."""


def add_texts(found: Pairs, layout: ImageMaskPairs, root: Path) -> Pairs:
    """Return the cases of a data set with the text of each.

    Args:
        found: The cases.
        layout: Their layout; it names sheets.
        root: Folder of the unpacked data.

    Raises:
        InputError: If a sheet is missing, unreadable or has other columns, a text is empty, an image has none or two
            that differ, a text is of an image that is not there, or two images have one file name.
    """
    assert layout.texts is not None
    rows: Rows = {}
    files = list_files(root)
    for pattern in layout.texts.files:
        sheets = [root / name for name in files if fnmatchcase(name, pattern)]
        if not sheets:
            raise InputError(
                root, "layout.texts.files", f"no file like {pattern}", "a sheet with a text for each image"
            )
        for sheet in sheets:
            _read_sheet(sheet, layout.texts, rows)
    images: dict[str, Pair] = {}
    for pair in found.pairs:
        name = stem_of(pair.image.name)
        if name in images:
            raise InputError(
                pair.image, "file name", name, f"another name than {images[name].image}, to tell the texts"
            )
        images[name] = pair
        if name not in rows:
            expected = f"a row for it in {' or '.join(layout.texts.files)}"
            raise InputError(pair.image, "text", "none", expected)
    skipped = {f"{case}{layout.image_suffix}" for case in layout.skip}
    # Of the images without a label, which the card leaves out, there may be texts all the same.
    alone = [] if layout.labelled_only else sorted(rows.keys() - images.keys() - skipped)
    if alone:
        _, sheet, place = rows[alone[0]]
        hint = "Add the image, or list the case under `layout.skip` of the card with a reason."
        raise InputError(sheet, f"{layout.texts.image_column} in {place}", alone[0], "an image of the data", hint)
    return replace(found, pairs=[replace(pair, text=rows[stem_of(pair.image.name)][0]) for pair in found.pairs])


def _read_sheet(path: Path, sheets: TextSheets, rows: Rows) -> None:
    """Add the rows of a sheet."""
    try:
        table = _read_table(path)
    except _UNREADABLE as error:
        raise InputError(path, "content", str(error), "a whole CSV (UTF-8) or Excel table") from None
    wanted = [sheets.image_column, sheets.text_column]
    if not set(wanted) <= set(table.columns):
        raise InputError(path, "columns", [str(name) for name in table.columns], f"among them {' and '.join(wanted)}")
    for number, (image, text) in enumerate(zip(table[wanted[0]], table[wanted[1]], strict=True), start=2):
        name, text, place = stem_of(image.strip()), " ".join(text.split()), f"row {number}"
        if not name and not text:
            # Excel keeps rows whose content was deleted.
            continue
        for column, value in zip(wanted, (name, text), strict=True):
            if not value:
                raise InputError(path, f"{column} in {place}", "nothing", "an image's file name and a text about it")
        first, sheet, first_place = rows.setdefault(name, (text, path, place))
        if first != text:
            raise InputError(path, f"text of {name} in {place}", text, f"that of {first_place} in {sheet}: {first!r}")


def _read_table(path: Path) -> pd.DataFrame:
    if path.suffix == ".xlsx":
        return pd.read_excel(path, dtype=str, keep_default_na=False, engine="openpyxl")
    # Excel starts the CSV files it writes with a byte order mark.
    return pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
