from pathlib import Path

import pytest

from mmseg_ext.suite.catalogue import catalogue
from mmseg_ext.suite.matrix import PlannedRun, RunId
from mmseg_ext.suite.need import folders
from mmseg_ext.suite.paths import Paths
from mmseg_ext.suite.run_key import run_key
from mmseg_ext.suite.stages import needs_of
from mmseg_ext.suite.suite_config import Schedule

CATALOGUE = catalogue(Path(__file__).parents[2] / "configs")
SCHEDULE = Schedule(image_size=(64, 64), batch_size=4, iterations=4)


def needs(task, condition):
    run = RunId("label_noise", task, "unet_tiny", condition, 0)
    return needs_of(PlannedRun(run, SCHEDULE), CATALOGUE, Paths())


def test_true_labels_need_nothing():
    assert needs("phantom_lesion", "clean") == []


def test_noisy_labels_are_one_folder_a_data_set_that_is_trained_or_validated_on():
    found = needs("polyps", "fuzzy_1p0")
    assert set(folders(found)["labels"]) == {"polyp_kvasir", "polyp_clinicdb"}
    assert all(need.recipe["labels"]["subsets"] == ["train"] for need in found)


def test_a_subset_that_only_tests_keeps_its_labels():
    (found,) = needs("isic2016_to_ph2", "fuzzy_1p0")
    assert found.recipe["labels"]["subsets"] == ["test", "train"]
    assert found.dataset == "isic2016"


@pytest.mark.parametrize("other", ["clean", "fuzzy_2p0", "uniform_1p0"])
def test_conditions_have_keys_and_folders_of_their_own(other):
    keys, places = [], []
    for condition in ("fuzzy_1p0", other):
        run = RunId("label_noise", "phantom_lesion", "unet_tiny", condition, 0)
        keys.append(run_key(PlannedRun(run, SCHEDULE), CATALOGUE))
        places.append([str(need.folder) for need in needs("phantom_lesion", condition)])
    assert keys[0] != keys[1]
    assert places[0] != places[1]
