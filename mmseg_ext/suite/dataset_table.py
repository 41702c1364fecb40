"""The table of all data sets in docs/datasets.md; generated from the cards, never written by hand."""

from __future__ import annotations

from mmseg_ext.suite.catalogue import Catalogue, stems
from mmseg_ext.suite.dataset_card import DatasetCard, GeneratedAccess, ManualAccess, OpenAccess, SplitFile

_COLUMNS = [
    "Data set", "Modality", "Foreground classes", "Cases", "Access", "Checksum", "Licence", "Redistribution",
    "Layout", "Converter tested with", "Unit", "Split", "Other lists",
]  # fmt: skip
_INTRODUCTION = """# Data sets

Generated from `configs/datasets/` by `python -m mmseg_ext docs`; change the cards, not this file.

Access: *open* files are downloaded, for *manual* ones somebody has to sign up first, *local* ones must lie on this
machine already, *generated* ones are made here. Checksum: whether the source or the card gives one for every file that
is downloaded or placed by hand. Redistribution: whether the licence lets the data be passed on; *unknown* is not yes.
Converter tested with: generated files in the exact layout of the source go the whole way from fetching to a step of
training in the tests; of some sources real cases were converted too. Other lists: splits and published lists of
labelled patients that lie beside the split of the card. Nothing is resampled: every case keeps its native spacing and
size.
"""


def dataset_table(catalogue: Catalogue) -> str:
    """Return the document: an introduction and a Markdown table with a row a card, by name.

    Raises:
        InputError: If a card is invalid.
    """
    names = stems(catalogue.root / "datasets", "yaml")
    rows = [_row(catalogue.dataset(name, "docs", "dataset"), catalogue) for name in names]
    lines = [_COLUMNS, ["---"] * len(_COLUMNS), *rows]
    return _INTRODUCTION + "\n" + "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _row(card: DatasetCard, catalogue: Catalogue) -> list[str]:
    title = f"[{_cell(card.title)}]({card.homepage})" if card.homepage else _cell(card.title)
    licence = _cell(card.licence.name)
    split = card.split.name if isinstance(card.split, SplitFile) else None
    lists = [name for name in stems(catalogue.root / "splits" / card.dataset, "csv") if name != split]
    classes = [name.replace("_", " ") for name in card.class_names[1:]]
    return [
        f"{title} `{card.dataset}`",
        _cell(card.modality),
        ", ".join(classes) if len(classes) <= 8 else f"{len(classes)} classes",
        _cases(card),
        card.source.access,
        _checksum(card),
        f"[{licence}]({card.licence.url})" if card.licence.url else licence,
        {True: "yes", False: "no", None: "unknown"}[card.licence.redistribution],
        f"`{card.layout.layout}`",
        f"{card.real_cases_converted} real cases, generated files" if card.real_cases_converted else "generated files",
        card.unit,
        f"`{split}`" if isinstance(card.split, SplitFile) else card.split.kind,
        ", ".join(f"`{name}`" for name in lists) or "–",
    ]


def _cases(card: DatasetCard) -> str:
    if isinstance(card.source, GeneratedAccess):
        return ", ".join(f"{subset} {count}" for subset, count in card.source.items.items())
    return ", ".join(str(n) if name == "all" else f"{name} {n}" for name, n in card.counts.items()) or "unknown"


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
