"""Dry runs: every suite expands to the jobs its matrix asks for, and bad input stops before any job."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from support.tiny_data import write_volumes
from support.workspace import ROOT, Workspace

pytestmark = pytest.mark.workflow
SUPERVISED = "    tasks: [phantom_abdomen_mini]\n    methods: [unet_tiny]\n"
"""Cells of the supervised track in the suite smoke."""
SUITES = sorted(path.stem for path in (ROOT / "configs" / "suites").glob("*.yaml"))


@pytest.fixture
def workspace(tmp_path):
    return Workspace(tmp_path)


@pytest.mark.parametrize("suite", SUITES)
def test_every_suite_expands(workspace, suite):
    content = yaml.safe_load((ROOT / "configs" / "suites" / f"{suite}.yaml").read_text())
    cells = sum(
        len(track.get("tasks", [])) * len(track.get("condition_methods", {}).get(condition, track.get("methods", [])))
        + len(track.get("pairs", []))
        for track in content["tracks"].values()
        for condition in track["conditions"]
    )
    runs = cells * len(content["seeds"])
    local = workspace.folder / "local"
    for card in (ROOT / "configs" / "datasets").glob("*.yaml"):
        if yaml.safe_load(card.read_text())["source"]["access"] == "local":
            (local / card.stem).mkdir(parents=True)
    jobs = workspace.jobs(suite, "--config", f"local_data={local}")
    assert jobs["train"] == jobs["evaluate"] == runs
    assert jobs["fetch"] == jobs["prepare"]
    assert jobs["analyse"] == jobs["report"] == jobs["plan"] == 1


def test_one_pre_training_serves_all_tasks_and_fractions(workspace):
    """Thirteen methods on three sources, for eight tasks and three label fractions; the control needs none."""
    jobs = workspace.jobs("paper_supercl")
    assert jobs["pretrain"] == 13 * 3
    assert jobs["train"] == 14 * 8 * 3
    asked = "{phantom_lesion_mini: {schedule: {image_size: [64, 64], batch_size: 4, iterations: 2}}}"
    new = f"    pretrainings: {asked}\n    pretraining:\n"
    workspace.edit("configs/suites/smoke.yaml", "    pretraining:\n", new)
    done = workspace.snakemake("smoke", "--dry-run")
    assert "pretrainings.phantom_lesion_mini: found 'phantom_lesion_mini', expected a task" in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_methods_share_a_clip_and_its_regions(workspace):
    jobs = workspace.jobs("zero_shot_small")
    # Two CLIPs; regions of the training set by each.
    assert jobs["pretrain_clip"] == jobs["regions"] == 2
    assert "import_clip" not in jobs


def test_every_region_setting_is_divided_once(workspace):
    jobs = workspace.jobs("ablation_split_matching")
    assert jobs["pretrain_clip"] == 1
    assert jobs["regions"] == 5


def test_published_clips_are_imported_once_a_task(workspace):
    jobs = workspace.jobs("paper_split_matching")
    assert jobs["import_clip"] == jobs["regions"] == 2
    assert "pretrain_clip" not in jobs


def test_the_demo_is_the_default(workspace):
    call = [sys.executable, "-m", "snakemake", "--cores", "1", "--dry-run", "--quiet", "rules"]
    done = subprocess.run(
        call, cwd=workspace.folder, env=workspace.environment, capture_output=True, text=True, check=True
    )
    assert "train" in done.stdout + done.stderr


def test_a_single_table_can_be_asked_for(workspace):
    jobs = workspace.jobs("smoke", "results/tables/smoke/scores.csv")
    assert "analyse" in jobs
    assert "report" not in jobs


@pytest.mark.parametrize(
    ("file", "old", "new", "words"),
    [
        ("configs/suites/smoke.yaml", "unet_tiny", "unet_tinny", ["methods.0", "Did you mean 'unet_tiny'"]),
        ("configs/suites/smoke.yaml", "[0]", "[]", ["seeds", "at least 1 item"]),
        (
            "configs/suites/smoke.yaml",
            f"{SUPERVISED}    conditions: [full]\n    schedule:\n      image_size: [64, 64]\n      batch_size",
            f"{SUPERVISED}    conditions: [full]\n    schedule:\n      image_size: [64, 64]\n      batchsize",
            ["schedule.batchsize", "Did you mean 'batch_size'"],
        ),
        (
            "configs/datasets/phantom_abdomen_mini.yaml",
            "fit: pad",
            "fitt: pad",
            ["phantom_abdomen_mini.yaml: fitt"],
        ),
        (
            "configs/datasets/phantom_abdomen_mini.yaml",
            "name: generated",
            "name: gone",
            ["split.name", "'gone'"],
        ),
    ],
)
def test_bad_configuration_stops_before_any_job(workspace, file, old, new, words):
    workspace.edit(file, old, new)
    done = workspace.snakemake("smoke")
    printed = done.stdout + done.stderr
    assert done.returncode != 0
    assert not (workspace.folder / "results").exists()
    for word in words:
        assert word in printed
    assert "Traceback" not in printed


def test_a_card_whose_path_does_not_exist(workspace):
    done = workspace.snakemake("real_small", "--config", "local_data=/nowhere/at/all")
    printed = done.stdout + done.stderr
    assert done.returncode != 0
    assert "/nowhere/at/all" in printed
    assert "Traceback" not in printed


def test_local_data_given_once_are_not_fetched_again_without_the_option(workspace):
    target = "data/raw/msd_hippocampus/source.json"
    root = write_volumes(workspace.folder / "local/msd_hippocampus")
    done = workspace.snakemake("real_small", target, "--config", f"local_data={workspace.folder}/local")
    assert done.returncode == 0, done.stdout + done.stderr
    assert workspace.jobs("real_small", target) == {}
    assert workspace.jobs("real_small", target, "--config", f"mirror={workspace.folder}") == {}
    (root / "images/case_0.nii.gz").touch()
    assert workspace.jobs("real_small", target) == {"fetch": 1}


def test_the_data_plan_is_made_anew_whenever_it_is_asked_for(workspace):
    table = workspace.folder / "results/plans/smoke_data.csv"
    for _ in range(2):
        done = workspace.snakemake("smoke", "data_plan")
        assert done.returncode == 0, done.stdout + done.stderr
        assert "phantom_abdomen_mini" in table.read_text()
        table.unlink()
    assert not (workspace.folder / "data").exists()


def test_data_sets_of_one_task_are_compared(workspace):
    workspace.edit("configs/suites/smoke.yaml", SUPERVISED, SUPERVISED.replace("phantom_abdomen_mini", "polyps"))
    jobs = workspace.jobs("smoke")
    assert jobs["check_task"] == 1
    assert jobs["check_data"] >= 5


def test_a_published_list_that_a_data_set_has_not_stops_before_any_job(workspace):
    old = f"{SUPERVISED}    conditions: [full]"
    workspace.edit("configs/suites/smoke.yaml", old, old.replace("full", "labels_10_published"))
    done = workspace.snakemake("smoke")
    assert done.returncode != 0
    assert "'labels_10', expected a list of labelled patients of phantom_abdomen_mini" in done.stdout + done.stderr
    assert not (workspace.folder / "results").exists()


def test_lint_finds_nothing(workspace):
    done = workspace.snakemake("demo", "--lint")
    assert done.returncode == 0, done.stdout + done.stderr


def test_rules_follow_the_house_rules():
    """Every rule has a log, threads, a message, a benchmark if it makes something, resources unless it is local."""
    for path in sorted((ROOT / "workflow" / "rules").glob("*.smk")):
        for text in path.read_text().split("\nrule ")[1:]:
            name, _, body = text.partition(":")
            needed = ["log:", "threads:", "message:"]
            needed += ["benchmark:"] if "\n    output:" in body else []
            needed += [] if "localrule: True" in body else ["resources:"]
            for directive in needed:
                assert f"    {directive}" in body, f"rule {name} of {Path(path).name} has no {directive}"
            assert "    run:" not in body
