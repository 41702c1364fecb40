"""Sheets with a text about each image."""

import pandas as pd
import pytest
from pydantic import ValidationError
from support.tiny_data import pair_card, write_pairs

from mmseg_ext.data.convert.image_mask_pairs import find_pairs
from mmseg_ext.data.fetch import fetch
from mmseg_ext.data.prepare import prepare
from mmseg_ext.suite.errors import InputError
from mmseg_ext.suite.layouts import ImageMaskPairs

ROWS = [(f"case_{index}.png", f"{index} lesions") for index in range(4)]
SHEETS = {"files": ["*train.xlsx", "*test.xlsx"], "image_column": "Image", "text_column": "Description"}


def texts_card(texts=SHEETS, **layout):
    return pair_card(layout={"layout": "image_mask_pairs", "texts": texts, **layout})


def write_sheet(path, rows, columns=("Image", "Description"), **more):
    path.parent.mkdir(parents=True, exist_ok=True)
    table = pd.DataFrame(rows, columns=columns).assign(**more)
    if path.suffix == ".xlsx":
        table.to_excel(path, index=False)
    else:
        table.to_csv(path, index=False, encoding="utf-8-sig")


@pytest.fixture
def root(tmp_path):
    """Four images, two sheets with two texts each."""
    root = write_pairs(tmp_path / "in/tiny_pairs")
    write_sheet(root / "lists/train.xlsx", ROWS[:2], Note="seen twice")
    write_sheet(root / "test.xlsx", ROWS[2:])
    return root


def texts_of(card, root):
    return {pair.case: pair.text for pair in find_pairs(card, root).pairs}


def test_texts_go_the_whole_way(root, tmp_path):
    fetch(texts_card(), tmp_path / "raw", None, tmp_path / "in")
    samples = prepare(texts_card(), tmp_path / "raw", tmp_path / "prepared", None).samples
    assert list(zip(samples["sample"] + ".png", samples["text"], strict=True)) == ROWS


def test_names_may_have_folders_or_no_ending_and_texts_several_lines(root):
    rows = [("img/case_0.PNG", " two\n\nlines "), ("case_1", "1"), ("case_0", "two lines"), ("", "")]
    write_sheet(root / "lists/train.xlsx", rows)
    assert texts_of(texts_card(), root) == {
        "case_0": "two lines", "case_1": "1", "case_2": "2 lesions", "case_3": "3 lesions",
    }  # fmt: skip


def test_csv_sheets_as_excel_writes_them(root):
    write_sheet(root / "all.csv", [(name, f"{text}, très petites") for name, text in ROWS])
    found = texts_of(texts_card({**SHEETS, "files": ["all.csv"]}), root)
    assert found["case_2"] == "2 lesions, très petites"


def test_a_number_in_a_cell_is_a_text_and_na_is_no_gap(root):
    write_sheet(root / "lists/train.xlsx", [("case_0.png", 7), ("case_1.png", "NA")])
    found = texts_of(texts_card(), root)
    assert (found["case_0"], found["case_1"]) == ("7", "NA")


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (ROWS[:1], r"case_1\.png: text: found 'none', expected a row for it in \*train\.xlsx or \*test\.xlsx"),
        ([*ROWS[:2], ("case_9.png", "none")], r"train\.xlsx: Image in row 4: found 'case_9', expected an image"),
        ([*ROWS[:2], ("case_1.png", "other")], r"text of case_1 in row 4: found 'other'.*row 3 in .*'1 lesions'"),
        ([*ROWS[:2], ("case_2.png", "other")], r"test\.xlsx: text of case_2 in row 2.*row 4 in .*train\.xlsx: 'other'"),
        ([ROWS[0], ("case_1.png", "  ")], "Description in row 3: found 'nothing'"),
        ([ROWS[0], ("case_1.png", None)], "Description in row 3: found 'nothing'"),
        ([*ROWS[:2], (None, "of what?")], "Image in row 4: found 'nothing'"),
    ],
)
def test_rows_that_do_not_fit_are_refused(root, rows, words):
    write_sheet(root / "lists/train.xlsx", rows)
    with pytest.raises(InputError, match=words):
        find_pairs(texts_card(), root)


def test_a_missing_sheet_is_an_input_error(root):
    (root / "test.xlsx").unlink()
    with pytest.raises(InputError, match=r"no file like \*test\.xlsx.*a sheet with a text for each image"):
        find_pairs(texts_card(), root)


def test_a_missing_column_is_an_input_error(root):
    write_sheet(root / "test.xlsx", ROWS[2:], ("Image", "Text"))
    with pytest.raises(InputError, match=r"test\.xlsx: columns: found \['Image', 'Text'\].*Image and Description"):
        find_pairs(texts_card(), root)


@pytest.mark.parametrize("content", [b"", b"no workbook", "whole"])
def test_an_unreadable_sheet_is_an_input_error(root, content):
    path = root / "test.xlsx"
    path.write_bytes(path.read_bytes()[:-100] if content == "whole" else content)
    with pytest.raises(InputError, match=r"test\.xlsx: content: .*a whole CSV \(UTF-8\) or Excel table"):
        find_pairs(texts_card(), root)


def test_a_csv_sheet_of_another_encoding_is_an_input_error(root):
    (root / "all.csv").write_bytes("Image,Description\ncase_0,très petit\n".encode("latin-1"))
    with pytest.raises(InputError, match=r"all\.csv: content"):
        find_pairs(texts_card({**SHEETS, "files": ["all.csv"]}), root)


def test_texts_of_images_that_the_card_leaves_out_are_no_error(root):
    (root / "masks/case_1.png").unlink()
    skipping = texts_card(skip={"case_1": "no mask"})
    assert texts_of(skipping, root).keys() == {"case_0", "case_2", "case_3"}
    patterns = {"image_files": ["images/{case}.png"], "label_files": ["masks/{case}.png"], "labelled_only": True}
    assert texts_of(texts_card(**patterns), root).keys() == {"case_0", "case_2", "case_3"}


def test_texts_of_skipped_images_with_a_suffix_are_no_error(root):
    for image in (root / "images").iterdir():
        image.rename(image.with_stem(f"{image.stem}_slice"))
    for sheet, rows in (("lists/train.xlsx", ROWS[:2]), ("test.xlsx", ROWS[2:])):
        write_sheet(root / sheet, [(name.replace(".png", "_slice.png"), text) for name, text in rows])
    found = texts_of(texts_card(image_suffix="_slice", skip={"case_1": "too dark"}), root)
    assert found == {"case_0": "0 lesions", "case_2": "2 lesions", "case_3": "3 lesions"}


def test_images_of_one_name_are_refused(root):
    write_pairs(root / "more", cases=1)
    write_pairs(root / "base")
    patterns = {"image_files": ["{part}/images/{case}.png"], "label_files": ["{part}/masks/{case}.png"]}
    with pytest.raises(InputError, match=r"found 'case_0', expected another name than .*base/images/case_0\.png"):
        find_pairs(texts_card(**patterns), root)


@pytest.mark.parametrize("changes", [{"captions": True}, {"texts": {**SHEETS, "files": ["texts.xls"]}}])
def test_cards_that_ask_for_something_else_are_refused(changes):
    with pytest.raises(ValidationError, match=r"captions or texts, found both|csv\|xlsx"):
        ImageMaskPairs.model_validate({"layout": "image_mask_pairs", "texts": SHEETS, **changes})
