from pathlib import Path

import pytest

from mmseg_ext.data.convert.pairing import Pair
from mmseg_ext.data.splits import derive_split, read_split, split_by_lists, split_by_path
from mmseg_ext.suite.dataset_card import DerivedSplit, ListSplit, PathSplit
from mmseg_ext.suite.errors import InputError


def pairs(*cases):
    return [Pair(case, case.split("_")[0], Path(case), Path(case)) for case in cases]


def derived(train, val, test, seed=0):
    return DerivedSplit(kind="derived", train=train, val=val, test=test, seed=seed)


MANY = pairs(*(f"p{patient}_{scan}" for patient in range(20) for scan in range(2)))
GOOD = "case,patient,subset\na_0,a,train\na_1,a,train\nb_0,b,test\nc_0,c,val\n"


@pytest.fixture
def split_file(tmp_path):
    def write(text):
        path = tmp_path / "split.csv"
        path.write_text(text)
        return path

    return write


def test_derived_split_keeps_patients_together_and_counts_add_up():
    table = derive_split(derived(0.7, 0.1, 0.2), MANY, "x")
    assert table.groupby("patient")["subset"].nunique().max() == 1
    assert table.drop_duplicates("patient")["subset"].value_counts().to_dict() == {"train": 14, "test": 4, "val": 2}


@pytest.mark.parametrize("patients", range(3, 30))
def test_derived_counts_are_the_rounded_fractions(patients):
    table = derive_split(derived(0.6, 0.15, 0.25), pairs(*(f"p{i}" for i in range(patients))), "x")
    counts = table["subset"].value_counts()
    assert counts.sum() == patients
    for subset, fraction in (("train", 0.6), ("val", 0.15), ("test", 0.25)):
        assert abs(counts.get(subset, 0) - fraction * patients) <= 1


def test_derived_split_depends_on_the_seed_and_not_on_the_order():
    split = derived(0.5, 0, 0.5)
    first = derive_split(split, MANY, "x").set_index("case")["subset"]
    backwards = derive_split(split, MANY[::-1], "x").set_index("case")["subset"]
    other = derive_split(derived(0.5, 0, 0.5, seed=1), MANY, "x").set_index("case")["subset"]
    assert first.to_dict() == backwards.to_dict()
    assert first.to_dict() != other.to_dict()


def test_no_validation_part_means_no_rows():
    assert "val" not in set(derive_split(derived(0.7, 0, 0.3), MANY, "x")["subset"])


def test_too_few_patients_for_a_test_set_are_refused():
    with pytest.raises(InputError, match="subset test"):
        derive_split(derived(0.8, 0.1, 0.1), pairs("a"), "data set x")


def test_read_split_follows_the_order_of_the_data(split_file):
    table = read_split(split_file(GOOD), pairs("c_0", "a_0", "b_0", "a_1"))
    assert list(table["case"]) == ["c_0", "a_0", "b_0", "a_1"]
    assert list(table["subset"]) == ["val", "train", "test", "train"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("a_1,a,train", "a_1,a,test"), r"subsets of patient a.*one subset a patient"),
        (("c_0,c,val", "c_0,c,valid"), r"line 5 \(case c_0\).*'valid'"),
        (("c_0,c,val\n", ""), "no row for c_0"),
        (("c_0,c,val", "c_0,c,val\nd_0,d,test"), "'d_0'.*a case of the data"),
        (("c_0,c,val", "c_0,c,val\nc_0,c,val"), "'c_0'.*once"),
        (("c_0,c,val", "c_0,d,val"), "patient of case c_0.*'d'.*'c'"),
        (("b_0,b,test", "b_0,b,val"), "subset test.*0"),
        ((",train", ",val"), "subset train.*0"),
        (("case,patient,subset", "case,patient,part"), "columns"),
    ],
)
def test_bad_split_files_are_refused(split_file, change, message):
    path = split_file(GOOD.replace(*change))
    with pytest.raises(InputError, match=message) as caught:
        read_split(path, pairs("a_0", "a_1", "b_0", "c_0"))
    assert caught.value.file == str(path)


def test_a_patient_may_be_called_na(split_file):
    path = split_file("case,patient,subset\nNA,NA,train\nb,b,test\n")
    assert list(read_split(path, pairs("NA", "b"))["patient"]) == ["NA", "b"]


def test_patients_and_positions_can_be_listed_with_a_row_for_all_others(split_file):
    scans = pairs("b_0", "a_0", "a_1", "c_0")
    by_patient = read_split(split_file("patient,subset\na,test\n*,train\n"), scans)
    assert by_patient["subset"].tolist() == ["train", "test", "test", "train"]
    by_position = read_split(split_file("position,subset\n2,test\n*,train\n"), scans)
    assert by_position["case"].tolist() == ["b_0", "a_0", "a_1", "c_0"]
    assert by_position["subset"].tolist() == ["test", "train", "train", "train"]


def test_listed_patients_must_be_there_and_without_a_star_all_of_them(split_file):
    with pytest.raises(InputError, match="patient: found 'z'"):
        read_split(split_file("patient,subset\nz,test\n*,train\n"), pairs("a_0"))
    with pytest.raises(InputError, match="no row for b"):
        read_split(split_file("patient,subset\na,test\n"), pairs("a_0", "b_0"))


def test_folders_of_the_source_split(tmp_path):
    found = [Pair(name, name, tmp_path / folder / name, tmp_path) for folder, name in (("tr", "a"), ("ts", "b"))]
    split = PathSplit(kind="paths", train=["tr/*"], test=["ts/*"])
    assert split_by_path(split, found, tmp_path, "x")["subset"].tolist() == ["train", "test"]
    only_tests = PathSplit(kind="paths", test=["*"])
    assert split_by_path(only_tests, found, tmp_path, "x")["subset"].tolist() == ["test", "test"]
    for patterns, message in (({"test": ["ts/*"]}, "tr/a"), ({"train": ["*"], "test": ["ts/*"]}, "train', 'test")):
        with pytest.raises(InputError, match=message):
            split_by_path(PathSplit(kind="paths", **patterns), found, tmp_path, "x")
    with pytest.raises(InputError, match="subset val"):
        split_by_path(PathSplit(kind="paths", train=["t*"], val=["v*"]), found, tmp_path, "x")


def test_lists_of_the_source_split(tmp_path):
    (tmp_path / "val.txt").write_text("b\nnot_labelled\n")
    split = ListSplit(kind="lists", test=["val.txt"], rest="train")
    assert split_by_lists(split, pairs("a", "b"), tmp_path)["subset"].tolist() == ["train", "test"]
    (tmp_path / "train.txt").write_text("b")
    with pytest.raises(InputError, match="in no other list"):
        split_by_lists(ListSplit(kind="lists", train=["train.txt"], test=["val.txt"], rest="val"), pairs("b"), tmp_path)
    with pytest.raises(InputError, match=r"gone\.txt"):
        split_by_lists(ListSplit(kind="lists", train=["gone.txt"], rest="test"), pairs("b"), tmp_path)
