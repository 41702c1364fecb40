from pathlib import Path

import pytest
from support.tiny_data import volume_card

from mmseg_ext.data.phantoms.abdomen_anatomy import ORGANS
from mmseg_ext.suite.catalogue import catalogue
from mmseg_ext.suite.task import task_of_dataset

NAMES = sorted(path.stem for path in Path("configs/datasets").glob("*.yaml"))


@pytest.mark.parametrize("name", NAMES)
def test_committed_cards_are_valid_and_name_a_task(name):
    task = catalogue().task(name, "test", "task")
    assert task.classes[0] == "background"
    assert [part.subset for part in task.test] == ["test"]


@pytest.mark.parametrize("name", ["phantom_abdomen", "phantom_abdomen_mini"])
def test_abdomen_classes_are_the_organs_by_id(name):
    classes = catalogue().dataset(name, "test", "dataset").classes
    assert {spec.name: spec.values for spec in classes[1:]} == {organ: [i] for i, organ in enumerate(ORGANS, 1)}


def test_a_derived_split_without_validation_part_gives_a_task_without_one():
    split = {"kind": "derived", "train": 0.7, "val": 0, "test": 0.3}
    assert task_of_dataset(volume_card(split=split)).val == []
    assert len(task_of_dataset(volume_card()).val) == 1
    assert len(task_of_dataset(volume_card(split={"kind": "file", "name": "x"})).val) == 1
