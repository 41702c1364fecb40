import numpy as np
import pytest
from support.tiny_data import volume_card

from mmseg_ext.data.convert.class_ids import to_class_ids
from mmseg_ext.data.convert.pairing import find_folder, pair_files
from mmseg_ext.suite.errors import InputError


@pytest.fixture
def folders(tmp_path):
    for name in ("images", "masks"):
        (tmp_path / name).mkdir()
    for case in ("p1_a", "p1_b", "p2_a"):
        (tmp_path / "images" / f"{case}.jpg").touch()
        (tmp_path / "masks" / f"{case}_seg.png").touch()
    return tmp_path / "images", tmp_path / "masks"


def pair(folders, skip=(), pattern=None):
    return pair_files(*folders, ("", "_seg"), (".png", ".jpg"), dict(skip), pattern)


def test_pairs_by_case_name_without_suffix(folders):
    found = pair(folders)
    assert [item.case for item in found.pairs] == ["p1_a", "p1_b", "p2_a"]
    assert found.pairs[0].label.name == "p1_a_seg.png"
    assert found.pairs[0].patient == "p1_a"


def test_hidden_and_foreign_files_are_no_cases(folders):
    (folders[0] / "._p1_a.jpg").touch()
    (folders[0] / "notes.txt").touch()
    assert len(pair(folders).pairs) == 3


def test_endings_count_in_any_case(folders):
    (folders[0] / "p1_a.jpg").rename(folders[0] / "p1_a.JPG")
    assert len(pair(folders).pairs) == 3


@pytest.mark.parametrize(("gone", "left"), [(1, 0), (0, 1)])
def test_a_file_without_partner_names_case_and_both_folders(folders, gone, left):
    next(folders[gone].glob("p1_b*")).unlink()
    with pytest.raises(InputError, match="p1_b") as caught:
        pair(folders)
    assert caught.value.file == str(folders[left])
    assert str(folders[gone]) in str(caught.value)


def test_skipped_cases_are_left_out_and_reported(folders):
    (folders[1] / "p1_b_seg.png").unlink()
    found = pair(folders, {"p1_b": "no mask", "p9": "not part of this copy"})
    assert [item.case for item in found.pairs] == ["p1_a", "p2_a"]
    assert found.skipped == {"p1_b": "no mask"}


def test_two_files_of_one_case_are_refused(folders):
    (folders[0] / "p1_a.png").touch()
    with pytest.raises(InputError, match="one file for case 'p1_a'"):
        pair(folders)


def test_empty_folders_are_refused(tmp_path):
    with pytest.raises(InputError, match="files"):
        pair((tmp_path, tmp_path))


def test_patient_is_the_first_group_of_the_pattern(folders):
    assert [item.patient for item in pair(folders, pattern=r"^(p\d)").pairs] == ["p1", "p1", "p2"]


@pytest.mark.parametrize(("pattern", "message"), [("(", "one group"), ("p", "one group"), (r"^(q\d)", "matches")])
def test_bad_patient_patterns_are_refused(folders, pattern, message):
    with pytest.raises(InputError, match=message):
        pair(folders, pattern=pattern)


def test_first_existing_folder_is_taken(tmp_path):
    (tmp_path / "b").mkdir()
    (tmp_path / "c").mkdir()
    assert find_folder(tmp_path, ["a", "b", "c"], "images") == tmp_path / "b"


@pytest.mark.parametrize("folder", [".", "missing"])
def test_missing_folder_names_the_candidates(tmp_path, folder):
    with pytest.raises(InputError, match=r"layout\.images.*a or b"):
        find_folder(tmp_path / folder, ["a", "b"], "images")


def card(**changes):
    classes = [{"name": "background", "values": [0, 9]}, {"name": "organ", "values": [420]}]
    return volume_card(classes=classes, **changes)


def test_values_become_class_ids(tmp_path):
    ids = to_class_ids(np.array([[0, 420], [9, 0]]), card(), tmp_path)
    assert ids.dtype == np.uint8
    assert ids.tolist() == [[0, 1], [0, 0]]


@pytest.mark.parametrize(("value", "message"), [(7, "7.*declares"), (0.5, "0.5.*whole")])
def test_undeclared_and_fractional_values_are_refused(tmp_path, value, message):
    with pytest.raises(InputError, match=message):
        to_class_ids(np.array([0, value]), card(), tmp_path / "label.png")


def test_other_values_become_background_where_the_card_says_so(tmp_path):
    ids = to_class_ids(np.array([0, 420, 421]), card(other_values="background"), tmp_path)
    assert ids.tolist() == [0, 1, 0]


def test_ignored_values_are_stored_as_255(tmp_path):
    assert to_class_ids(np.array([0, 420, 7]), card(ignored_values=[7]), tmp_path).tolist() == [0, 1, 255]
