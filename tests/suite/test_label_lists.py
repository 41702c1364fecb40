"""Published lists of labelled patients: what is committed, and how a condition finds it."""

import math

import pandas as pd
import pytest

from mmseg_ext.suite.catalogue import catalogue
from mmseg_ext.suite.errors import InputError
from mmseg_ext.suite.run_key import condition_key

KNOWN = catalogue()
CONDITIONS = KNOWN.track("supervised", "test", "track").conditions
FILES = sorted((KNOWN.root / "splits").glob("*/labels_*.csv"))
# Training patients of SuperCL's data sets, as published.
TRAINING = {
    "acdc": 80, "mmwhs_ct": 16, "hvsmr2016": 8, "chaos": 16, "msd_spleen": 33, "isic2018_train": 2075, "msd_heart": 16,
    "msd_hippocampus_supercl": 208,
}  # fmt: skip


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}/{file.stem}")
def test_a_list_has_the_published_length_and_no_test_patient(file):
    table, split = pd.read_csv(file, dtype=str), pd.read_csv(file.with_name("supercl.csv"), dtype=str)
    key = split.columns[0]
    assert list(table.columns) == [key]
    assert table[key].is_unique
    assert not set(table[key]) & set(split.loc[split["subset"] == "test", key])
    share = int(file.stem.removeprefix("labels_"))
    # ISIC: 519 of 2075 is a quarter rounded up; Spleen: 8 of 33 is one rounded down.
    rounded = math.floor if (file.parent.name, share) == ("msd_spleen", 25) else math.ceil
    assert len(table) == rounded(share / 100 * TRAINING[file.parent.name])


def test_every_data_set_of_supercl_has_both_lists():
    assert {file.parent.name for file in FILES} == TRAINING.keys()
    assert len(FILES) == 2 * len(TRAINING)


def test_a_condition_finds_the_list_of_a_data_set():
    task = KNOWN.task("msd_heart", "test", "task")
    found = KNOWN.label_lists(CONDITIONS["labels_10_published"], task)
    assert found == {"msd_heart": KNOWN.root / "splits/msd_heart/labels_10.csv"}
    assert KNOWN.label_lists(CONDITIONS["labels_10"], task) == {}


def test_a_data_set_without_the_list_is_an_error():
    task = KNOWN.task("kits19", "test", "task")
    with pytest.raises(InputError, match=r"'labels_10', expected a list of labelled patients of kits19"):
        KNOWN.label_lists(CONDITIONS["labels_10_published"], task)


def test_the_key_of_a_condition_covers_the_list_and_not_the_title():
    heart, spleen = (KNOWN.task(name, "test", "task") for name in ("msd_heart", "msd_spleen"))
    one, other = CONDITIONS["labels_10_published"], CONDITIONS["labels_25_published"]
    keys = {condition_key(condition, task, KNOWN) for condition in (one, other) for task in (heart, spleen)}
    assert len(keys) == 4
    assert condition_key(one.model_copy(update={"title": "other"}), heart, KNOWN) in keys
