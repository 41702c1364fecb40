import re
from pathlib import Path

import pytest
from support.tiny_data import pair_card, volume_card

from mmseg_ext.suite.catalogue import catalogue
from mmseg_ext.suite.dataset_table import _COLUMNS, _row, dataset_table

ROOT = Path(__file__).parents[2]
HEX = "0" * 64


def cells(card):
    """The cells of a card's row by the head of their column."""
    return dict(zip(_COLUMNS, _row(card, catalogue(ROOT / "configs")), strict=True))


def test_the_committed_document_is_what_the_cards_say():
    expected = dataset_table(catalogue(ROOT / "configs"))
    written = (ROOT / "docs" / "datasets.md").read_text(encoding="utf-8")
    assert written == expected, "run `python -m mmseg_ext docs`"


def test_every_card_has_one_row_of_as_many_cells_as_the_head():
    lines = [line for line in dataset_table(catalogue(ROOT / "configs")).splitlines() if line.startswith("|")]
    assert len(lines) == 2 + len(list((ROOT / "configs" / "datasets").glob("*.yaml")))
    assert len({len(re.findall(r"(?<!\\)\|", line)) for line in lines}) == 1


@pytest.mark.parametrize(
    ("sums", "expected"), [(("a", "b"), "yes"), (("a", None), "1 of 2"), ((None, None), "no")], ids=str
)
def test_checksums_are_counted(sums, expected):
    files = [
        {"filename": f"{index}.zip", "urls": ["https://example.org/x.zip"], "sha256": HEX if one else None}
        for index, one in enumerate(sums)
    ]
    assert cells(volume_card(source={"access": "open", "files": files}))["Checksum"] == expected


def test_unknown_terms_stay_unknown_and_bars_do_not_break_the_table():
    row = cells(pair_card(title="A | B\nC", licence={"name": "unknown"}))
    assert row["Data set"] == "A \\| B C `tiny_pairs`"
    assert row["Redistribution"] == "unknown"
    assert row["Checksum"] == "–"


def test_checksums_of_placed_files_are_counted():
    source = {"access": "manual", "instructions": "Ask.", "filenames": ["a.zip", "b.zip"], "sha256": {"a.zip": HEX}}
    assert cells(volume_card(source=source))["Checksum"] == "1 of 2"


def test_cases_splits_and_other_lists():
    row = cells(catalogue(ROOT / "configs").dataset("acdc", "test", "dataset"))
    assert row["Cases"] == "train 160, test 40"
    assert row["Split"] == "`supercl`"
    assert row["Other lists"] == "`labels_10`, `labels_25`, `ssl4mis`"
    assert cells(volume_card(counts={"all": 7}))["Cases"] == "7"
    assert cells(volume_card())["Cases"] == "unknown"
