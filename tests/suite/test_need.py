from pathlib import Path

import pytest

from mmseg_ext.suite import stages
from mmseg_ext.suite.catalogue import catalogue
from mmseg_ext.suite.errors import InputError
from mmseg_ext.suite.loading import read_yaml
from mmseg_ext.suite.need import Need, all_needs, folders
from mmseg_ext.suite.paths import Paths
from mmseg_ext.suite.plan import Plan, read_suite
from mmseg_ext.suite.run_key import run_key

ROOT = Path(__file__).parents[2]
MAPS = Need("superpixels", "superpixels", Paths().data / "maps", {"segments": 100}, dataset="a", datasets=("a",))
ENCODER = Need("pretrained", "pretrain", Paths().results / "encoder", {"epochs": 3}, needs=(MAPS,))


def plan():
    suite, _ = read_suite(read_yaml(ROOT / "configs/suites/demo.yaml"), "demo.yaml")
    return Plan(suite, catalogue(ROOT / "configs"), Paths(), "demo.yaml")


def test_what_a_stage_needs_comes_before_it():
    assert [need.name for need in all_needs([ENCODER])] == ["superpixels", "pretrained"]


def test_a_need_of_a_data_set_is_a_folder_by_data_set():
    assert folders([ENCODER, MAPS]) == {"pretrained": "results/encoder", "superpixels": {"a": "data/maps"}}


def test_a_plan_holds_every_earlier_result_and_its_data_sets(monkeypatch):
    before = plan()
    monkeypatch.setattr(stages, "STAGES", [lambda planned, catalogue, paths: [ENCODER]])
    after = plan()
    assert set(after.stage_results) == {"data/maps", "results/encoder"}
    assert after.datasets == sorted({*before.datasets, "a"})


def test_the_recipe_of_an_earlier_stage_is_in_the_run_key(monkeypatch):
    planned = next(iter(plan().runs.values()))
    keys = set()
    for segments in (100, 50):
        maps = Need("superpixels", "superpixels", MAPS.folder, {"segments": segments})
        outer = Need("pretrained", "pretrain", ENCODER.folder, {"epochs": 3}, needs=(maps,))
        monkeypatch.setattr(stages, "STAGES", [lambda *_, outer=outer: [outer]])
        keys.add(run_key(planned, catalogue(ROOT / "configs")))
    assert len(keys) == 2


def test_one_folder_cannot_hold_two_results(monkeypatch):
    def stage(planned, catalogue, paths):
        return [Need("pretrained", "pretrain", ENCODER.folder, {"method": planned.id.method + planned.id.task})]

    monkeypatch.setattr(stages, "STAGES", [stage])
    with pytest.raises(InputError, match="one recipe for results/encoder"):
        plan()
