import shutil
from pathlib import Path

import pytest
import yaml

from mmseg_ext.suite.catalogue import Catalogue
from mmseg_ext.suite.errors import InputError
from mmseg_ext.suite.matrix import RunId
from mmseg_ext.suite.paths import Paths
from mmseg_ext.suite.plan import Plan, read_suite

CONFIGS = Path(__file__).parents[2] / "configs"


@pytest.fixture
def configs(tmp_path):
    """A copy of the configurations that a test may change."""
    return shutil.copytree(CONFIGS, tmp_path / "configs")


def demo():
    """Return the supervised part of the demo suite, with two tasks and two methods."""
    suite = yaml.safe_load((CONFIGS / "suites" / "demo.yaml").read_text())
    cells = {"tasks": ["phantom_abdomen", "phantom_lesion"], "methods": ["unet_tiny", "segformer_b0"]}
    suite["tracks"] = {"supervised": {**suite["tracks"]["supervised"], **cells}}
    return suite


def plan(configs, suite):
    read, settings = read_suite(suite, "suite.yaml")
    return Plan(read, Catalogue(configs), settings.paths, "suite.yaml")


def set_at(suite, path, value):
    *parents, last = path.split(".")
    node = suite
    for part in parents:
        node = node[int(part)] if isinstance(node, list) else node[part]
    node[int(last) if isinstance(node, list) else last] = value
    return suite


def test_the_matrix_is_full_and_sorted(configs):
    suite = set_at(demo(), "seeds", [1, 0])
    expanded = plan(configs, suite)
    runs = suite["tracks"]["supervised"]
    assert len(expanded.runs) == len(runs["tasks"]) * len(runs["methods"]) * len(runs["conditions"]) * 2
    assert list(expanded.runs) == sorted(expanded.runs)
    assert len(set(expanded.keys.values())) == len(expanded.runs)


def test_a_suite_needs_a_protocol_of_ours(configs):
    with pytest.raises(InputError, match=r"protocols: .*paper_hiperformer.* also one of ours"):
        plan(configs, set_at(demo(), "protocols", ["paper_hiperformer"]))


def test_listed_pairs_and_schedules_of_single_tasks(configs):
    suite = demo()
    track = suite["tracks"]["supervised"]
    track["tasks"], track["methods"] = ["phantom_lesion"], ["unet_tiny"]
    track["pairs"] = [{"task": "phantom_abdomen", "method": "segformer_b0"}]
    track["schedules"] = {"phantom_abdomen": {**track["schedule"], "batch_size": 3}}
    runs = plan(configs, suite).runs
    assert {(run.task, run.method): item.schedule.batch_size for run, item in runs.items()} == {
        ("phantom_lesion", "unet_tiny"): track["schedule"]["batch_size"],
        ("phantom_abdomen", "segformer_b0"): 3,
    }


def test_single_conditions_may_have_some_of_the_methods_only(configs):
    suite = set_at(demo(), "tracks.supervised.conditions", ["full", "labels_25"])
    suite["tracks"]["supervised"]["condition_methods"] = {"labels_25": ["segformer_b0"]}
    found = {(run.condition, run.method) for run in plan(configs, suite).runs}
    assert found == {("full", "unet_tiny"), ("full", "segformer_b0"), ("labels_25", "segformer_b0")}


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        (
            "tracks.supervised.tasks.0",
            "phantom_abdomn",
            ["tracks.supervised.tasks.0", "Did you mean 'phantom_abdomen'"],
        ),
        (
            "tracks.supervised.methods.0",
            "unet_tinny",
            ["tracks.supervised.methods.0", "Did you mean 'unet_tiny'"],
        ),
        ("tracks.supervised.conditions.0", "ful", ["tracks.supervised.conditions.0", "'full'", "labels_10"]),
        ("protocols.0", "strikt", ["protocols.0", "'strict'"]),
        (
            "tracks.supervised.schedules",
            {"dsb2018": demo()["tracks"]["supervised"]["schedule"]},
            ["schedules.dsb2018"],
        ),
        ("tracks.supervised.condition_methods", {"ful": []}, ["condition_methods.ful", "Did you mean 'full'"]),
        (
            "tracks.supervised.condition_methods",
            {"full": ["unet_tinny"]},
            ["condition_methods.full.0", "Did you mean 'unet_tiny'"],
        ),
        ("seeds", [], ["seeds"]),
    ],
)
def test_unknown_names_are_refused_before_anything_runs(configs, path, value, words):
    with pytest.raises(InputError) as caught:
        plan(configs, set_at(demo(), path, value))
    for word in ["suite.yaml", *words]:
        assert word in str(caught.value)


def test_unknown_track(configs):
    suite = demo()
    suite["tracks"]["supervized"] = suite["tracks"].pop("supervised")
    with pytest.raises(InputError, match="Did you mean 'supervised'"):
        plan(configs, suite)


def test_method_card_without_config(configs):
    (configs / "methods" / "supervised" / "unet_tiny.py").unlink()
    with pytest.raises(InputError, match=r"MMEngine config unet_tiny\.py beside it"):
        plan(configs, demo())


def test_task_file_must_share_the_classes_of_its_data(configs):
    task = {
        "task": "mixed",
        "title": "Mixed",
        "train": [{"dataset": "phantom_abdomen", "subset": "train"}],
        "test": [{"dataset": "phantom_lesion", "subset": "test"}],
        "classes": ["background", "lesion"],
    }
    (configs / "tasks").mkdir(exist_ok=True)
    (configs / "tasks" / "mixed.yaml").write_text(yaml.safe_dump(task))
    with pytest.raises(InputError, match="the classes of phantom_abdomen"):
        plan(configs, set_at(demo(), "tracks.supervised.tasks.0", "mixed"))


def test_missing_split_file(configs):
    card = configs / "datasets" / "phantom_lesion.yaml"
    card.write_text(card.read_text().replace("name: generated", "name: generatd"))
    with pytest.raises(InputError, match="Did you mean 'generated'"):
        plan(configs, demo())


def test_settings_are_told_from_the_suite():
    suite, settings = read_suite({**demo(), "mirror": "/m", "results": "out"}, "suite.yaml")
    assert suite.suite == "demo"
    assert settings.paths == Paths(results=Path("out"))
    assert settings.mirror == Path("/m")


def test_run_names_round_trip():
    run = RunId("supervised", "task", "method", "full", 12)
    assert RunId.parse(str(run)) == run
    for text in ("supervised/task/method/full", "a/b/c/d/seed_x", ""):
        with pytest.raises(ValueError, match="expected track/task/method/condition/seed_N"):
            RunId.parse(text)


class TestRunKeys:
    """What changes a key, and what must not."""

    def key(self, configs, suite=None):
        expanded = plan(configs, suite or demo())
        return expanded.keys[RunId("supervised", "phantom_lesion", "unet_tiny", "full", 0)]

    def test_same_settings_same_key(self, configs):
        assert self.key(configs) == self.key(configs)

    @pytest.mark.parametrize(
        ("path", "value"),
        [
            ("tracks.supervised.schedule.iterations", 7),
            ("tracks.supervised.schedule.batch_size", 7),
            ("tracks.supervised.schedule.precision", "bf16"),
        ],
    )
    def test_a_changed_schedule_changes_it(self, configs, path, value):
        assert self.key(configs) != self.key(configs, set_at(demo(), path, value))

    @pytest.mark.parametrize(
        ("path", "value"),
        [
            ("tracks.supervised.schedule.memory_mb", 999),
            ("tracks.supervised.schedule.threads", 2),
            ("seeds", [0, 1, 2]),
            ("title", "Another"),
            ("tracks.supervised.tasks", ["phantom_lesion"]),
            ("tracks.supervised.conditions", ["full", "labels_25"]),
        ],
    )
    def test_what_other_runs_or_machines_need_does_not(self, configs, path, value):
        assert self.key(configs) == self.key(configs, set_at(demo(), path, value))

    @pytest.mark.parametrize(
        ("file", "old", "new", "changes"),
        [
            ("datasets/phantom_lesion.yaml", "unit: px", "unit: mm", True),
            ("datasets/phantom_lesion.yaml", "title: ", "title: New ", False),
            ("datasets/phantom_abdomen.yaml", "fit: pad", "fit: resize", False),
            ("tracks/supervised.yaml", "title: all training labels", "title: all", False),
            ("splits/phantom_lesion/generated.csv", ",val", ",train", True),
        ],
    )
    def test_files_it_depends_on(self, configs, file, old, new, changes):
        before = self.key(configs)
        path = configs / file
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new, 1))
        assert (self.key(configs) != before) == changes
