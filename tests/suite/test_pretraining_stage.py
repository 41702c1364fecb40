from pathlib import Path

import pytest

from mmseg_ext.suite.catalogue import catalogue
from mmseg_ext.suite.errors import InputError
from mmseg_ext.suite.matrix import PlannedRun, RunId
from mmseg_ext.suite.paths import Paths
from mmseg_ext.suite.run_key import run_key
from mmseg_ext.suite.stages import needs_of
from mmseg_ext.suite.suite_config import Pretraining, Schedule

KNOWN = catalogue(Path(__file__).parents[2] / "configs")
SCHEDULE = {"image_size": (64, 64), "batch_size": 4, "iterations": 10}


def planned(method, condition="labels_10", source=None, iterations=10, threads=1, task="phantom_abdomen_mini"):
    schedule = Schedule(**{**SCHEDULE, "iterations": iterations, "threads": threads})
    run = RunId("pretraining", task, method, condition, 0)
    return PlannedRun(run, Schedule(**SCHEDULE), Pretraining(source=source, schedule=schedule))


def need(*arguments, **changes):
    (found,) = needs_of(planned(*arguments, **changes), KNOWN, Paths())
    return found


def test_one_pre_training_serves_every_label_fraction():
    assert need("simclr_tiny") == need("simclr_tiny", condition="labels_25")
    assert need("simclr_tiny").folder == Path("results/pretrain/phantom_abdomen_mini/simclr_tiny/seed_0")


def test_it_leaves_out_the_patients_that_are_tested():
    parts = need("simclr_tiny").recipe["settings"]["parts"]
    assert {part["subset"] for part in parts} == {"train", "val"}
    other = need("simclr_tiny", source="phantom_abdomen").recipe["settings"]["parts"]
    assert {(part["dataset"], part["subset"]) for part in other} == {
        ("phantom_abdomen", subset) for subset in ("train", "val", "test")
    }
    with pytest.raises(InputError, match="another data set than those of task"):
        need("simclr_tiny", source="phantom_abdomen_mini")


def test_methods_without_a_section_need_nothing():
    assert needs_of(planned("scratch_tiny"), KNOWN, Paths()) == []


def test_the_suite_must_say_on_what():
    run = PlannedRun(planned("simclr_tiny").id, Schedule(**SCHEDULE))
    with pytest.raises(InputError, match="a source and a schedule"):
        needs_of(run, KNOWN, Paths())


def test_maps_are_needed_for_the_source():
    (maps,) = need("supercl_precomputed_tiny", source="phantom_lesion").needs
    assert maps.dataset == "phantom_lesion"
    assert need("supercl_tiny").needs == ()


def test_keys_follow_what_is_computed_and_not_where():
    keys = {run_key(planned("simclr_tiny", iterations=steps), KNOWN) for steps in (10, 11)}
    assert len(keys) == 2
    assert need("simclr_tiny").key == need("simclr_tiny", threads=2).key
    assert need("simclr_tiny", threads=2).resources["threads"] == 2
    scratch = {run_key(planned("scratch_tiny", iterations=steps), KNOWN) for steps in (10, 11)}
    assert len(scratch) == 1


def test_random_weights_have_the_first_layer_of_pre_trained_ones():
    plain = run_key(planned("scratch_tiny"), KNOWN)
    assert plain == run_key(PlannedRun(planned("scratch_tiny").id, Schedule(**SCHEDULE)), KNOWN)
    assert plain != run_key(planned("scratch_tiny", source="brats2018"), KNOWN)
