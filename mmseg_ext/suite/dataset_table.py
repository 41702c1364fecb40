"""The table of all data sets in docs/datasets.md; generated from the cards, never written by hand."""

from __future__ import annotations

from mmseg_ext.suite.catalogue import Catalogue, stems
from mmseg_ext.suite.dataset_card import DatasetCard, ManualAccess, OpenAccess, SplitFile

_COLUMNS = [
    "Data set", "Modality", "Foreground classes", "Access", "Checksum", "Licence", "Redistribution", "Layout", "Unit",
    "Split",
]  # fmt: skip
_INTRODUCTION = """# Data sets

Generated from `configs/datasets/` by `python -m mmseg_ext docs`; change the cards, not this file.

Access: *open* files are downloaded, for *manual* ones somebody has to sign up first, *local* ones must lie on this
machine already, *generated* ones are made here. Checksum: whether the source or the card gives one for every file that
is downloaded. Redistribution: whether the licence lets the data be passed on; *unknown* is not yes.
"""


def dataset_table(catalogue: Catalogue) -> str:
    """Return the document: an introduction and a Markdown table with a row a card, by name.

    Raises:
        InputError: If a card is invalid.
    """
    names = stems(catalogue.root / "datasets", "yaml")
    rows = [_row(catalogue.dataset(name, "docs", "dataset")) for name in names]
    lines = [_COLUMNS, ["---"] * len(_COLUMNS), *rows]
    return _INTRODUCTION + "\n" + "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _row(card: DatasetCard) -> list[str]:
    title = f"[{_cell(card.title)}]({card.homepage})" if card.homepage else _cell(card.title)
    licence = _cell(card.licence.name)
    classes = [name.replace("_", " ") for name in card.class_names[1:]]
    return [
        f"{title} `{card.dataset}`",
        _cell(card.modality),
        ", ".join(classes) if len(classes) <= 8 else f"{len(classes)} classes",
        card.source.access,
        _checksum(card),
        f"[{licence}]({card.licence.url})" if card.licence.url else licence,
        {True: "yes", False: "no", None: "unknown"}[card.licence.redistribution],
        f"`{card.layout.layout}`",
        card.unit,
        f"`{card.split.name}`" if isinstance(card.split, SplitFile) else card.split.kind,
    ]


def _checksum(card: DatasetCard) -> str:
    match card.source:
        case OpenAccess(files=files):
            known, count = sum(bool(file.sha256 or file.md5) for file in files), len(files)
        case ManualAccess(filenames=names, sha256=checksums):
            known, count = len(checksums), len(names)
        case _:
            return "–"
    return {count: "yes", 0: "no"}.get(known, f"{known} of {count}")


def _cell(text: str) -> str:
    """Return text that does not end a table's cell."""
    return " ".join(text.split()).replace("|", "\\|")
