"""The smoke suite from data to page, and what happens when something breaks on the way."""

import json
import shutil
import signal
import subprocess
import time

import pandas as pd
import pytest
from support.workspace import Workspace

pytestmark = pytest.mark.workflow
RUN = "results/runs/supervised/phantom_abdomen_mini/unet_tiny/full/seed_0"


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A workspace in which the smoke suite has run."""
    workspace = Workspace(tmp_path_factory.mktemp("smoke"))
    done = workspace.snakemake("smoke")
    assert done.returncode == 0, done.stdout + done.stderr
    return workspace


@pytest.fixture
def copy(finished, tmp_path):
    """A copy of the finished workspace that a test may change."""
    folder = tmp_path / "copy"
    shutil.copytree(finished.folder, folder, symlinks=True)
    workspace = Workspace.__new__(Workspace)
    workspace.folder = folder
    return workspace


def test_everything_is_there(finished):
    page = (finished.folder / "results/report/index.html").read_text()
    assert "phantom_abdomen_mini" in page
    scores = pd.read_csv(finished.folder / "results/tables/smoke/scores.csv")
    assert set(scores["protocol"]) == {"strict"}
    cases = pd.read_csv(finished.folder / RUN / "cases.csv")
    assert cases["case"].nunique() == 2
    assert set(cases["status"]) <= {"ok", "both_empty", "missed", "spurious"}


def test_nothing_is_done_twice(finished):
    assert finished.jobs("smoke") == {}


def test_every_shell_line_can_be_pasted(copy):
    before = (copy.folder / RUN / "cases.csv").read_bytes()
    done = copy.snakemake("smoke", "--dry-run", "--forceall", "--printshellcmds")
    printed = (done.stdout + done.stderr).splitlines()
    lines = [line.removeprefix("Shell command: ") for line in printed if line.startswith("Shell command: python -m")]
    stages = [line.split()[3] for line in lines]
    every = "plan fetch prepare check superpixels pretrain subset train evaluate controls analyse report"
    assert set(stages) >= set(every.split())
    for stage in ("subset", "evaluate", "analyse"):
        line = next(line for line in lines if line.split()[3] == stage)
        subprocess.run(line, shell=True, cwd=copy.folder, env=copy.environment, check=True)
    assert (copy.folder / RUN / "cases.csv").read_bytes() == before


def test_adding_a_method_or_a_data_set_reruns_nothing(copy):
    copy.edit("configs/suites/smoke.yaml", "[unet_tiny]", "[unet_tiny, segformer_b0]")
    jobs = copy.jobs("smoke")
    assert jobs["train"] == jobs["evaluate"] == 1
    assert "prepare" not in jobs
    cells = "[phantom_abdomen_mini]\n    methods: [unet_tiny, segformer_b0]"
    copy.edit("configs/suites/smoke.yaml", cells, cells.replace("mini]", "mini, phantom_lesion_mini]"))
    jobs = copy.jobs("smoke")
    assert jobs["train"] == jobs["evaluate"] == 3
    assert jobs["prepare"] == jobs["fetch"] == 1


def test_a_changed_setting_trains_anew(copy):
    schedule = "iterations: 12\n      validations: 2\n  pretraining"
    copy.edit("configs/suites/smoke.yaml", schedule, schedule.replace("12", "13"))
    jobs = copy.jobs("smoke")
    assert jobs["train"] == 1
    assert "prepare" not in jobs


def test_a_broken_cell_leaves_the_rest_of_the_page_standing(copy):
    card = copy.folder / "configs/methods/supervised/unet_tiny.yaml"
    text = card.read_text().replace("method: unet_tiny", "method: unet_broken")
    card.with_name("unet_broken.yaml").write_text(text)
    config = "_base_ = ['./unet_tiny.py']\noptim_wrapper = dict(optimizer=dict(lr=1e30))\n"
    card.with_name("unet_broken.py").write_text(config)
    copy.edit("configs/suites/smoke.yaml", "[unet_tiny]", "[unet_tiny, unet_broken]")
    done = copy.snakemake("smoke", "--keep-going")
    assert done.returncode != 0
    status = pd.read_csv(copy.folder / "results/tables/smoke/status.csv").set_index("run")["status"]
    assert status["supervised/phantom_abdomen_mini/unet_tiny/full/seed_0"] == "done"
    assert status["supervised/phantom_abdomen_mini/unet_broken/full/seed_0"] == "failed"
    page = (copy.folder / "results/report/index.html").read_text()
    assert "unet_broken" in page
    assert "loss" in page
    # Mended, only the cell that failed is run again.
    card.with_name("unet_broken.py").write_text("_base_ = ['./unet_tiny.py']\n")
    assert copy.jobs("smoke")["train"] == 1


def test_a_killed_training_ends_with_the_numbers_of_one_never_killed(copy):
    before = (copy.folder / RUN / "cases.csv").read_bytes()
    key = json.loads((copy.folder / RUN / "run.json").read_text())["key"]
    shutil.rmtree(copy.folder / "results")
    process = subprocess.Popen(
        copy.command("smoke"),
        cwd=copy.folder,
        env=copy.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    checkpoints = copy.folder / "results/work" / key
    deadline = time.monotonic() + 120
    while not list(checkpoints.glob("*.pth")):
        assert process.poll() is None, "the workflow ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.02)
    subprocess.run(["pkill", "-9", "-s", str(process.pid)], check=True)
    assert process.wait() == -signal.SIGKILL
    assert not (copy.folder / RUN / "run.json").exists()
    copy.snakemake("smoke", "--unlock")
    done = copy.snakemake("smoke", "--rerun-incomplete")
    assert done.returncode == 0, done.stdout + done.stderr
    assert (
        "resum"
        in (copy.folder / "results/logs/train" / RUN.removeprefix("results/runs/"))
        .with_suffix(".log")
        .read_text()
        .lower()
    )
    assert (copy.folder / RUN / "cases.csv").read_bytes() == before
