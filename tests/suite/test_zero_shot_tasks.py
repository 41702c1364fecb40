"""Class lists of the published zero-shot splits, checked against the ids of the sources."""

import pytest

from mmseg_ext.suite.catalogue import catalogue

# MMSegmentation's ids of the unseen classes; prepared ids are one larger, because 0 is background.
UNSEEN = {
    "voc_15_5": [15, 16, 17, 18, 19],
    "coco_stuff_156_15": [19, 23, 28, 29, 36, 51, 76, 88, 94, 112, 133, 136, 137, 157, 160],
}
# Values of the 15 classes in the label files of COCO-Stuff, counted from 0: SPNet's list of novel classes.
RAW = [20, 24, 32, 33, 40, 56, 86, 99, 105, 123, 144, 147, 148, 168, 171]


@pytest.mark.parametrize(("name", "seen"), [("voc_15_5", 15), ("coco_stuff_156_15", 156)])
def test_seen_and_unseen_are_those_of_the_published_split(name, seen):
    task = catalogue().task(name, "test", "task")
    ids = [task.classes.index(one) - 1 for one in task.unseen]
    assert ids == UNSEEN[name]
    assert len(task.classes) - 1 - len(ids) == seen
    assert task.ignored == ["background"]


def test_unseen_classes_of_coco_stuff_are_spnets():
    known = catalogue()
    task = known.task("coco_stuff_156_15", "test", "task")
    values = {spec.name: spec.values for spec in known.dataset("coco_stuff164k", "test", "dataset").classes}
    assert [values[name] for name in task.unseen] == [[value] for value in RAW]


def test_void_and_background_of_voc_never_become_a_class():
    known = catalogue()
    card = known.dataset("voc2012", "test", "dataset")
    task = known.task("voc_15_5", "test", "task")
    assert card.ignored_values == [255]
    assert card.classes[0].values == [0]
    assert [spec.values for spec in card.classes if spec.name in task.unseen] == [[16], [17], [18], [19], [20]]


def test_embedded_tasks_differ_in_data_only():
    known = catalogue()
    full, mini = (known.task(name, "test", "task") for name in ("scenes_9_3", "scenes_9_3_mini"))
    assert full.classes == mini.classes
    assert full.unseen == mini.unseen
