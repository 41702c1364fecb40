from pathlib import Path

import pytest

from mmseg_ext.suite.catalogue import catalogue
from mmseg_ext.suite.errors import InputError
from mmseg_ext.suite.matrix import PlannedRun, RunId
from mmseg_ext.suite.need import folders
from mmseg_ext.suite.paths import Paths
from mmseg_ext.suite.stages import needs_of, superpixels
from mmseg_ext.suite.suite_config import Schedule

ROOT = Path(__file__).parents[2]
SCHEDULE = Schedule(image_size=(64, 64), batch_size=2, iterations=2)


def needs(monkeypatch, config, task="phantom_lesion"):
    monkeypatch.setattr(superpixels, "method_config", lambda file: config)
    run = PlannedRun(RunId("supervised", task, "unet_tiny", "full", 0), SCHEDULE)
    return superpixels.needs(run, catalogue(ROOT / "configs"), Paths())


def test_a_method_gets_the_maps_of_its_training_sets(monkeypatch):
    found = needs(monkeypatch, {"superpixels": {"algorithm": "slic_opencv", "segments": 50}}, task="polyps")
    names = {"polyp_clinicdb", "polyp_kvasir"}
    assert set(folders(found)["superpixels"]) == names
    for need in found:
        assert need.done.parent.parent == Paths().prepared(need.dataset) / "superpixels"
        assert need.recipe["settings"]["segments"] == 50
        assert need.datasets == (need.dataset,)


def test_other_settings_are_another_folder_and_recipe(monkeypatch):
    one, two = (needs(monkeypatch, {"superpixels": {"algorithm": name}})[0] for name in ("lsc", "seeds"))
    assert one.folder != two.folder
    assert one.parts != two.parts


def test_methods_without_a_recipe_need_none(monkeypatch):
    assert needs(monkeypatch, {"model": {"type": "DenseSegmentor"}}) == []
    run = PlannedRun(RunId("supervised", "phantom_lesion", "unet_tiny", "full", 0), SCHEDULE)
    assert "superpixels" not in {need.stage for need in needs_of(run, catalogue(ROOT / "configs"), Paths())}


def test_a_bad_recipe_names_the_methods_config(monkeypatch):
    with pytest.raises(InputError, match=r"unet_tiny\.py: recipe\.lsc\.levels"):
        needs(monkeypatch, {"superpixels": {"algorithm": "lsc", "levels": 3}})
    with pytest.raises(InputError, match=r"unet_tiny\.py: superpixels: found 'lsc'"):
        needs(monkeypatch, {"superpixels": "lsc"})
