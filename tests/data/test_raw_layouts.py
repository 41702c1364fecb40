"""Every card from its source's raw layout to the prepared form."""

import numpy as np
import pytest
from support.raw_cards import CARDS, DOWNLOADED
from support.raw_files import SIZE, SLICES, SPACING, prepare_raw
from support.raw_layouts import LAYOUTS

from mmseg_ext.data.prepared import IGNORED
from mmseg_ext.data.subset import write_subset
from mmseg_ext.suite.catalogue import catalogue
from mmseg_ext.suite.dataset_card import PathSplit
from mmseg_ext.suite.task import task_of_dataset


def test_every_card_has_a_raw_layout():
    assert LAYOUTS.keys() == set(DOWNLOADED)


@pytest.mark.parametrize("name", DOWNLOADED)
def test_a_source_becomes_the_prepared_form(name, tmp_path):
    card, prepared = CARDS[name], prepare_raw(CARDS[name], tmp_path)
    expected = sum(len(items.cases) for items in LAYOUTS[name].items)
    assert len(prepared.cases) == expected

    per_class = prepared.class_pixels.groupby("class_name")["pixels"].min()
    assert (per_class > 0).all(), "every generated case has every class"
    case = next(iter(prepared.cases.values()))
    labels = prepared.label_volume(case.case)
    assert labels.shape == ((SLICES if card.is_volume else 1), *SIZE)
    assert (labels == IGNORED).any() == bool(card.ignored_values)
    image = prepared.image(case.samples[0])
    assert image.shape == (SIZE if len(card.channels) == 1 else (*SIZE, len(card.channels)))
    assert np.ptp(image) > 0
    assert case.spacing == (pytest.approx(SPACING) if card.unit == "mm" else None)

    splits = prepared.splits
    assert splits.groupby("patient")["subset"].nunique().max() == 1
    if isinstance(card.split, PathSplit):
        declared = {subset for subset in ("train", "val", "test") if getattr(card.split, subset)}
        assert set(splits["subset"]) == declared
    else:
        assert {"train", "test"} <= set(splits["subset"])


def test_voc_labels_come_before_those_of_sbd_and_voc_val_is_the_test_set(tmp_path):
    splits = prepare_raw(CARDS["voc2012"], tmp_path).splits.set_index("case")["subset"]
    assert splits.to_dict() == {"2007_000032": "train", "2007_000033": "test", "2008_000002": "train"}


def test_both_frames_and_both_eyes_belong_to_one_patient(tmp_path):
    for name, patients in (("acdc", 23), ("chase_db1", 6)):
        splits = prepare_raw(CARDS[name], tmp_path / name).splits
        assert splits.groupby("patient").size().tolist() == [2] * patients


@pytest.mark.parametrize("name", ["msd_heart", "msd_spleen", "hvsmr2016", "mmwhs_ct"])
def test_published_lists_name_training_patients_of_the_data(name, tmp_path):
    prepared = {name: prepare_raw(CARDS[name], tmp_path)}
    task, conditions = task_of_dataset(CARDS[name]), catalogue().track("supervised", "test", "track").conditions
    for condition in (conditions["labels_10_published"], conditions["labels_25_published"]):
        lists = catalogue().label_lists(condition, task)
        table = write_subset(task, condition, 0, prepared, tmp_path / "cases.csv", lists)
        listed = lists[name].read_text().split()[1:]
        assert (table["subset"] == "train").sum() == len(listed)
        assert (table["subset"] == "test").sum() == CARDS[name].counts["test"]


def test_texts_of_sheets_reach_the_prepared_table(tmp_path):
    samples = prepare_raw(CARDS["mosmedplus"], tmp_path).samples
    assert samples["sample"].tolist() == ["Jun_Test_1", "Jun_Train_1", "Jun_Val_1"]
    assert samples["text"].tolist() == [f"one infected area in {name}.png" for name in samples["sample"]]


def test_labels_of_a_volume_lie_where_its_source_has_them(tmp_path):
    """The first band of label values is at the front of every slice, whatever the format."""
    for name in ("msd_heart", "promise12", "chaos"):
        prepared = prepare_raw(CARDS[name], tmp_path / name)
        labels = prepared.label_volume(next(iter(prepared.cases)))
        assert (labels[:, 0] == 0).all()
        assert (labels[:, -1] == len(prepared.classes) - 1).all()
