"""Which CLIP and which regions a run needs, and what of them is in its key."""

import shutil
from pathlib import Path

import pytest

from mmseg_ext.suite.catalogue import Catalogue
from mmseg_ext.suite.clip_card import RegionSetting
from mmseg_ext.suite.errors import InputError
from mmseg_ext.suite.matrix import PlannedRun, RunId
from mmseg_ext.suite.paths import Paths
from mmseg_ext.suite.run_key import run_key
from mmseg_ext.suite.stages.clip import needs, region_setting
from mmseg_ext.suite.suite_config import Schedule

SCHEDULE = Schedule(image_size=(32, 32), batch_size=2, iterations=10)


@pytest.fixture
def known(tmp_path):
    """The committed configs with three methods: with CLIP, with regions, with neither."""
    shutil.copytree("configs", tmp_path / "configs")
    folder = tmp_path / "configs/methods/zero_shot"
    folder.mkdir(exist_ok=True)
    (folder / "named.py").write_text('model = dict(type="DenseSegmentor", clip="$clip")\n')
    (folder / "divided.py").write_text('model = dict(type="DenseSegmentor", clip="$clip", r=["$regions"])\n')
    (folder / "finer.py").write_text('_base_ = ["divided.py"]\nregions = dict(merge=0.9)\n')
    (folder / "bare.py").write_text('model = dict(type="DenseSegmentor")\n')
    return Catalogue(tmp_path / "configs")


def planned(method, condition="mini_clip", task="scenes_9_3"):
    return PlannedRun(RunId("zero_shot", task, method, condition, 0), SCHEDULE)


def test_a_run_needs_what_its_config_names(known):
    found = {method: needs(planned(method), known, Paths()) for method in ("bare", "named", "divided")}
    assert found["bare"] == []
    assert [need.name for need in found["named"]] == ["clip"]
    assert [need.name for need in found["divided"]] == ["clip", "regions"]
    clip, regions = found["divided"]
    assert clip.folder == Path("results/clip/trained/mini_clip/scenes_9_3")
    assert clip.stage == "pretrain_clip"
    assert regions.datasets == ("phantom_scenes",)
    assert regions.needs == (clip,)
    assert regions.recipe["subsets"] == ["train"]


def test_a_published_clip_is_imported(known):
    (clip,) = needs(planned("named", "clip_vit_b16"), known, Paths())
    assert clip.stage == "import_clip"
    assert "unseen" not in clip.recipe


def test_another_setting_is_another_folder_and_another_key(known):
    first, second = (needs(planned(method), known, Paths())[1] for method in ("divided", "finer"))
    assert first.folder != second.folder
    chosen = known.clip("mini_clip", "test", "clip").regions.merge
    assert (first.recipe["setting"]["merge"], second.recipe["setting"]["merge"]) == (chosen, 0.9)
    conditions = ("mini_clip", "mini_clip_compositional", "mini_clip_dropped_15", "mini_clip_all_annotated")
    assert len({run_key(planned("divided", condition), known) for condition in conditions}) == 4


def test_a_condition_without_a_clip_is_no_place_for_a_method_with_one(known):
    file = known.root / "tracks/zero_shot.yaml"
    file.write_text(file.read_text() + "  bare:\n    title: no CLIP\n")
    fresh = Catalogue(known.root)
    assert needs(planned("bare", "bare"), fresh, Paths()) == []
    with pytest.raises(InputError, match=r"conditions\.bare\.clip: found 'nothing'.*mini_clip"):
        needs(planned("named", "bare"), fresh, Paths())


def test_an_unknown_clip_or_setting_is_named(known):
    card = known.clip("mini_clip", "test", "clip")
    with pytest.raises(InputError, match="Did you mean 'mini_clip'"):
        known.clip("miniclip", "test", "clip")
    with pytest.raises(InputError, match=r"merg: .*Did you mean 'merge'"):
        region_setting(card, {"merg": 0.5}, Path("method.py"))
    assert region_setting(card, {}, Path("method.py")) == card.regions
    assert card.regions != RegionSetting()


def test_templates_need_one_place_for_the_name(known):
    file = known.root / "clip/mini_clip.yaml"
    file.write_text(file.read_text().replace("a {}", "a photo"))
    with pytest.raises(InputError, match=r"one \{\} in every template"):
        Catalogue(known.root).clip("mini_clip", "test", "clip")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("unseen: [striped_circle", "unseen: [stripy_circle", "unseen classes that are among the classes"),
        ("unseen: [striped_circle", "unseen: [background, striped_circle", "without overlap"),
        ("unseen: [striped_circle", "unseen: [striped_circle, striped_circle", "unseen classes that differ"),
        ("- dotted_cross", "- plain_cross", "class names that differ"),
    ],
)
def test_seen_and_unseen_classes_do_not_overlap(known, old, new, words):
    file = known.root / "tasks/scenes_9_3.yaml"
    file.write_text(file.read_text().replace(old, new))
    with pytest.raises(InputError, match=words):
        Catalogue(known.root).task("scenes_9_3", "test", "task")
