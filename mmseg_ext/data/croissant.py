"""Croissant metadata of a prepared data set (MLCommons, https://docs.mlcommons.org/croissant/docs/croissant-spec.html).

The JSON-LD names the tables and image files of the prepared form and how their columns belong together, so that a
library that knows Croissant can load samples, splits and classes. What the card does not know is left out.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from mmseg_ext.data.prepared import COLUMNS, TEXT_COLUMNS, PreparedDataset
from mmseg_ext.suite.dataset_card import DatasetCard
from mmseg_ext.suite.errors import InputError
from mmseg_ext.suite.files import hash_file

CONFORMS_TO = "http://mlcommons.org/croissant/1.0"
CONTEXT = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataBiases": "cr:dataBiases",
    "dataCollection": "cr:dataCollection",
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "personalSensitiveInformation": "cr:personalSensitiveInformation",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
"""The context that version 1.0 of the specification prescribes."""

_INTEGERS = ("slice", "slices", "height", "width")
_TABLES = {
    "samples": {
        name: "sc:Text" if name in TEXT_COLUMNS else "sc:Integer" if name in _INTEGERS else "sc:Float"
        for name in COLUMNS
    },
    "splits": {"case": "sc:Text", "patient": "sc:Text", "subset": "sc:Text"},
    "class_pixels": {"case": "sc:Text", "class_name": "sc:Text", "pixels": "sc:Integer"},
}
"""Columns of the tables with their types."""


def describe(card: DatasetCard, prepared: PreparedDataset, base: Path) -> dict[str, Any]:
    """Return the metadata of a prepared data set.

    Args:
        card: Its card.
        prepared: The data set.
        base: Folder the metadata will lie in; addresses of files are relative to it.

    Raises:
        InputError: If the card is another data set's, or a table is missing.
    """
    if card.dataset != prepared.name:
        raise InputError(prepared.root / "card.json", "dataset", prepared.name, f"the card's, {card.dataset!r}")
    described = {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": CONFORMS_TO,
        "name": card.dataset,
        "description": " ".join(f"{card.title}. {card.description}".split()),
        "license": card.licence.url or card.licence.name,
        "keywords": [card.modality, "segmentation", *card.class_names[1:]],
        "identifier": f"sha256:{prepared.content_hash}",
        "distribution": [
            *[_table_file(prepared, name, base) for name in _TABLES],
            *[_picture_files(prepared, name, base) for name in ("images", "labels")],
        ],
        "recordSet": [*[_records(name) for name in _TABLES], _class_records(prepared.classes)],
    }
    optional = {"url": card.homepage, "citeAs": card.citation}
    return {**described, **{key: value for key, value in optional.items() if value}}


def _address(path: Path, base: Path) -> str:
    return Path(os.path.relpath(path, base)).as_posix()


def _table_file(prepared: PreparedDataset, name: str, base: Path) -> dict[str, Any]:
    path = prepared.root / f"{name}.csv"
    if not path.is_file():
        raise InputError(path, "file", "nothing", "a table of the prepared form", "Prepare the data set again.")
    return {
        "@type": "cr:FileObject",
        "@id": f"{name}.csv",
        "name": f"{name}.csv",
        "contentUrl": _address(path, base),
        "contentSize": f"{path.stat().st_size} B",
        "encodingFormat": "text/csv",
        "sha256": hash_file(path),
    }


def _picture_files(prepared: PreparedDataset, name: str, base: Path) -> dict[str, Any]:
    words = {"images": "The image of each sample.", "labels": "Class ids of each sample, one a pixel."}
    return {
        "@type": "cr:FileSet",
        "@id": name,
        "name": name,
        "description": words[name],
        "encodingFormat": "image/png",
        "includes": f"{_address(prepared.root / name, base)}/*.png",
    }


def _records(table: str) -> dict[str, Any]:
    fields = [_field(table, column) for column in _TABLES[table]]
    return {"@type": "cr:RecordSet", "@id": table, "name": table, "field": fields}


def _field(table: str, column: str) -> dict[str, Any]:
    found: dict[str, Any] = {
        "@type": "cr:Field",
        "@id": f"{table}/{column}",
        "name": column,
        "dataType": _TABLES[table][column],
        "source": {"fileObject": {"@id": f"{table}.csv"}, "extract": {"column": column}},
    }
    if table != "splits" and column == "case":
        found["references"] = {"field": {"@id": "splits/case"}}
    return found


def _class_records(classes: list[str]) -> dict[str, Any]:
    types = {"id": "sc:Integer", "name": "sc:Text"}
    return {
        "@type": "cr:RecordSet",
        "@id": "classes",
        "name": "classes",
        "description": "Class ids in the label files.",
        "field": [
            {"@type": "cr:Field", "@id": f"classes/{name}", "name": name, "dataType": kind}
            for name, kind in types.items()
        ],
        "data": [{"classes/id": class_id, "classes/name": name} for class_id, name in enumerate(classes)],
    }
