"""Hashes of what determines a data set, as far as it is known before any job starts."""

from __future__ import annotations

from typing import Any

from mmseg_ext.suite.catalogue import Catalogue
from mmseg_ext.suite.components import PACKAGE, hash_sources
from mmseg_ext.suite.dataset_card import DatasetCard
from mmseg_ext.suite.files import hash_file, hash_value
from mmseg_ext.suite.matrix import as_plain

# What a card says about these does not change a pixel.
_DESCRIPTIVE = {
    "title",
    "description",
    "homepage",
    "citation",
    "licence",
    "modality",
    "nsd_tolerance",
    "counts",
    "real_cases_converted",
    "source",
}


def source_recipe(card: DatasetCard) -> dict[str, Any]:
    """Return what determines the raw form of a data set, as far as it is known beforehand."""
    source: dict[str, Any] = as_plain(card)["source"]
    match source["access"]:
        case "generated":
            return {**source, "code": hash_sources([PACKAGE / "data" / "phantoms" / f"{source['generator']}.py"])}
        case "open":
            # Where a file comes from does not matter, what is in it does.
            files = [{key: file[key] for key in ("filename", "sha256", "md5")} for file in source["files"]]
            return {"files": files, **_given(source, "inner_archives")}
        case access:
            return {"access": access, **_given(source, "sha256", "inner_archives")}


def _given(source: dict[str, Any], *keys: str) -> dict[str, Any]:
    """Return the fields that a card gives."""
    return {key: source[key] for key in keys if source.get(key)}


def data_recipe(card: DatasetCard, catalogue: Catalogue) -> dict[str, Any]:
    """Return what determines a prepared data set, as far as it is known beforehand."""
    split = catalogue.split_file(card)
    described = {key: value for key, value in as_plain(card).items() if key not in _DESCRIPTIVE}
    return {
        **described,
        "source": source_recipe(card),
        "split_rows": hash_file(split) if split else None,
        "converter_code": hash_sources([PACKAGE / "data" / "prepare.py"]),
    }


def source_key(card: DatasetCard) -> str:
    """Return the hash that names one raw form of a data set."""
    return hash_value(source_recipe(card))[:16]


def data_key(card: DatasetCard, catalogue: Catalogue) -> str:
    """Return the hash that names one way of preparing a data set."""
    return hash_value(data_recipe(card, catalogue))[:16]
