import itertools

import numpy as np
import pandas as pd
import pytest
from support.tiny_data import volume_card, write_nifti, write_volumes

from mmseg_ext.data.prepare import prepare
from mmseg_ext.data.source import write_source
from mmseg_ext.data.subset import COLUMNS, write_subset
from mmseg_ext.suite.errors import InputError
from mmseg_ext.suite.loading import parse
from mmseg_ext.suite.task import Task, TaskPart, task_of_dataset
from mmseg_ext.suite.track import Condition

FRACTIONS = (0.1, 0.25, 0.3, 0.5, 0.75, 1.0)
SUBSETS = ["train"] * 20 + ["test"] * 3


def condition(fraction=1.0):
    return Condition(title="x", label_fraction=fraction)


def prepare_volumes(folder, empty=()):
    """Prepare 20 training cases and 3 test cases; the cases in `empty` lack the organ."""
    root = write_volumes(folder / "data", cases=len(SUBSETS))
    for case in empty:
        write_nifti(root / f"labels/case_{case}.nii.gz", np.zeros((6, 7, 4), np.uint8))
    cases = [f"case_{index}" for index in range(len(SUBSETS))]
    card = volume_card(split={"kind": "file", "name": "split"})
    table = pd.DataFrame({"case": cases, "patient": cases, "subset": SUBSETS})
    table.to_csv(folder / "split.csv", index=False)
    write_source(folder, root, {})
    return prepare(card, folder, folder / "prepared", folder / "split.csv")


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    return {"tiny_volumes": prepare_volumes(tmp_path_factory.mktemp("subset"))}


@pytest.fixture
def task():
    return task_of_dataset(volume_card())


def cases(table, subset="train"):
    return set(table.loc[table["subset"] == subset, "case"])


def test_a_whole_subset_is_the_split(prepared, task, tmp_path):
    table = write_subset(task, condition(), 0, prepared, tmp_path / "out.csv")
    assert list(table.columns) == COLUMNS
    assert table["subset"].value_counts().to_dict() == {"train": 20, "test": 3}
    written = pd.read_csv(tmp_path / "out.csv", dtype=str)
    pd.testing.assert_frame_equal(written, table, check_dtype=False)


def test_a_split_without_validation_rows_gives_no_validation_cases(prepared, task, tmp_path):
    assert task.val
    assert not cases(write_subset(task, condition(), 0, prepared, tmp_path / "out.csv"), "val")


@pytest.mark.parametrize("seed", range(4))
def test_fractions_are_nested_and_rounded_up(prepared, task, tmp_path, seed):
    chosen = [cases(write_subset(task, condition(f), seed, prepared, tmp_path / "a.csv")) for f in FRACTIONS]
    assert [len(found) for found in chosen] == [2, 5, 6, 10, 15, 20]
    for small, large in itertools.pairwise(chosen):
        assert small < large


@pytest.mark.parametrize(
    "text", ["patient\ncase_7\ncase_3\n", "position\n19\n17\n"], ids=["patients", "positions by name"]
)
@pytest.mark.parametrize("seed", range(2))
def test_a_published_list_is_taken_whatever_the_seed(prepared, task, tmp_path, text, seed):
    """Sorted by name, case_10 to case_22 come before case_3."""
    (tmp_path / "labels.csv").write_text(text)
    published = Condition(title="x", label_list="labels")
    lists = {"tiny_volumes": tmp_path / "labels.csv"}
    table = write_subset(task, published, seed, prepared, tmp_path / "a.csv", lists)
    assert cases(table) == ({"case_3", "case_7"} if "patient" in text else {"case_4", "case_6"})
    assert len(cases(table, "test")) == 3


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("patient\ncase_1\ncase_21\n", "found 'case_21', expected a patient in the training set of tiny_volumes"),
        ("position\n99\n", "found '99', expected a position in the training set"),
        ("case\ncase_1\n", "one column: patient or position"),
        ("patient\n", "rows: found 0, expected at least one labelled patient of tiny_volumes"),
    ],
)
def test_a_published_list_that_does_not_fit_the_split_is_refused(prepared, task, tmp_path, text, words):
    (tmp_path / "labels.csv").write_text(text)
    published = Condition(title="x", label_list="labels")
    with pytest.raises(InputError, match=words):
        write_subset(task, published, 0, prepared, tmp_path / "a.csv", {"tiny_volumes": tmp_path / "labels.csv"})


def test_a_fraction_and_a_list_are_not_both_given():
    with pytest.raises(ValueError, match="not both"):
        Condition(title="x", label_fraction=0.1, label_list="labels")


def test_at_least_one_patient_is_taken(prepared, task, tmp_path):
    assert len(cases(write_subset(task, condition(0.001), 0, prepared, tmp_path / "a.csv"))) == 1


def test_the_order_depends_on_seed_and_task_only(prepared, task, tmp_path):
    def chosen(task, seed):
        return cases(write_subset(task, condition(0.25), seed, prepared, tmp_path / "a.csv"))

    assert chosen(task, 0) == chosen(task, 0)
    assert len({frozenset(chosen(task, seed)) for seed in range(5)}) > 1
    assert chosen(task, 0) != chosen(task.model_copy(update={"task": "other"}), 0)


def test_validation_and_test_sets_stay_whole(prepared, task, tmp_path):
    assert len(cases(write_subset(task, condition(0.1), 0, prepared, tmp_path / "a.csv"), "test")) == 3


def test_a_class_that_no_training_case_has_is_refused(task, tmp_path):
    prepared = {"tiny_volumes": prepare_volumes(tmp_path, empty=range(20))}
    with pytest.raises(InputError, match=r"class organ.*0 in 20 cases"):
        write_subset(task, condition(), 0, prepared, tmp_path / "out.csv")
    assert not (tmp_path / "out.csv").exists()


def test_no_test_case_is_refused(prepared, task, tmp_path):
    # The split has no validation rows, so a task that tests on them tests on nothing.
    empty = task.model_copy(update={"test": [TaskPart(dataset="tiny_volumes", subset="val")]})
    with pytest.raises(InputError, match=r"subset test.*0"):
        write_subset(empty, condition(), 0, prepared, tmp_path / "out.csv")


def test_a_fraction_of_nothing_and_a_fraction_of_nobody_are_refused(prepared, task, tmp_path):
    with pytest.raises(InputError, match="label_fraction"):
        parse(Condition, {"title": "x", "label_fraction": 0}, "track.yaml")
    nobody = task.model_copy(update={"train": [TaskPart(dataset="tiny_volumes", subset="val")]})
    with pytest.raises(InputError, match=r"subset train.*0"):
        write_subset(nobody, condition(0.1), 0, prepared, tmp_path / "out.csv")


def test_a_patient_trained_and_tested_on_is_refused(prepared, tmp_path):
    part = TaskPart(dataset="tiny_volumes", subset="train")
    leaking = Task(task="leak", title="x", train=[part], test=[part], classes=["background", "organ"])
    with pytest.raises(InputError, match=r"subsets of patient case_0 of tiny_volumes.*one subset a patient"):
        write_subset(leaking, condition(), 0, prepared, tmp_path / "out.csv")


def test_equal_names_in_two_data_sets_are_two_patients(prepared, tmp_path):
    two = {**prepared, "other": prepared["tiny_volumes"]}
    task = Task(
        task="transfer",
        title="x",
        train=[TaskPart(dataset="tiny_volumes", subset="train")],
        test=[TaskPart(dataset="other", subset="train")],
        classes=["background", "organ"],
    )
    table = write_subset(task, condition(0.5), 0, two, tmp_path / "out.csv")
    assert table.groupby("dataset")["case"].count().to_dict() == {"other": 20, "tiny_volumes": 10}
