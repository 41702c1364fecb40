"""The command line: one sub-command a stage, one clear line for bad input."""

import subprocess
import sys

import cv2
import nibabel as nib
import numpy as np
import pytest
from support.workspace import Workspace
from typer.testing import CliRunner

from mmseg_ext.cli import app

STAGES = (
    "plan fetch-plan fetch prepare check superpixels subset pretrain train evaluate controls analyse report".split()
)
TOOLS = "summary predict export cost clean schemas docs croissant scaffold".split()
RUN = "supervised/phantom_lesion_mini/unet_tiny/full/seed_0"
SCHEDULE = '{"image_size": [64, 64], "batch_size": 4, "iterations": 3, "validations": 1}'


def call(workspace, *arguments):
    command = [sys.executable, "-m", "mmseg_ext", *arguments]
    return subprocess.run(
        command, cwd=workspace.folder, env=workspace.environment, capture_output=True, text=True, check=False
    )


def test_help_lists_every_stage():
    printed = CliRunner().invoke(app, ["--help"]).output
    for name in [*STAGES, *TOOLS]:
        assert f" {name} " in printed


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A workspace with one short run a kind of data."""
    workspace = Workspace(tmp_path_factory.mktemp("cli"))
    for dataset in ("phantom_abdomen_mini", "phantom_lesion_mini"):
        run = f"supervised/{dataset}/unet_tiny/full/seed_0"
        for arguments in (
            ["fetch", dataset],
            ["prepare", dataset],
            ["subset", "supervised", dataset, "full", "--seed", "0", "--out", f"{dataset}.csv"],
            ["train", run, "--schedule", SCHEDULE, "--cases", f"{dataset}.csv", "--variant", "last_plain"],
        ):
            done = call(workspace, *arguments)
            assert done.returncode == 0, done.stderr
    return workspace


def test_predict_gives_volumes_back_in_their_own_space(trained):
    files = sorted((trained.folder / "data/raw/phantom_abdomen_mini").rglob("images/*.nii.gz"))[:2]
    run = "supervised/phantom_abdomen_mini/unet_tiny/full/seed_0"
    done = call(trained, "predict", run, *map(str, files), "--out", "volumes", "--overlays")
    assert done.returncode == 0, done.stderr
    for file in files:
        source, result = nib.load(file), nib.load(trained.folder / "volumes" / file.name)
        assert result.shape == source.shape
        np.testing.assert_allclose(result.affine, source.affine)
        assert set(np.unique(result.dataobj)) <= set(range(9))
        overlay = cv2.imread(str(trained.folder / "volumes" / f"{file.name.removesuffix('.nii.gz')}_overlay.png"))
        assert min(overlay.shape[:2]) >= 512


def test_predict_gives_images_their_native_size(trained):
    folder = trained.folder / "own"
    folder.mkdir()
    cv2.imwrite(str(folder / "photo.v1.jpg"), np.random.default_rng(0).integers(0, 255, (75, 101, 3), np.uint8))
    done = call(trained, "predict", RUN, "own/photo.v1.jpg", "--out", "images")
    assert done.returncode == 0, done.stderr
    labels = cv2.imread(str(trained.folder / "images" / "photo.v1.png"), cv2.IMREAD_UNCHANGED)
    assert labels.shape == (75, 101)
    assert labels.max() <= 1


def test_predictions_of_test_cases_are_those_of_the_run(trained):
    """The user's way in (files) and the run's (prepared data) must agree."""
    from mmseg_ext.evaluation.predictions import read_prediction

    run = "supervised/phantom_abdomen_mini/unet_tiny/full/seed_0"
    stored = trained.folder / "results/runs" / run / "predictions/last_plain/phantom_abdomen_mini"
    case = sorted(path.stem for path in stored.glob("*.npz"))[0]
    (file,) = (trained.folder / "data/raw/phantom_abdomen_mini").rglob(f"images/{case}.nii.gz")
    assert call(trained, "predict", run, str(file), "--out", "again").returncode == 0
    again = np.asarray(nib.load(trained.folder / "again" / file.name).dataobj)
    expected = read_prediction(stored, case)
    assert np.bincount(again.ravel(), minlength=9).tolist() == np.bincount(expected.ravel(), minlength=9).tolist()


def test_clean_frees_checkpoints_and_keeps_what_predict_needs(trained):
    assert "Would free" in call(trained, "clean", "--dry-run").stdout
    done = call(trained, "clean")
    assert "Freed" in done.stdout
    assert "in 2 runs" in done.stdout
    image = next((trained.folder / "data/raw/phantom_lesion_mini").rglob("images/*.png"))
    assert call(trained, "predict", RUN, str(image), "--out", "cleaned").returncode == 0
    assert call(trained, "export", RUN, "--out", "exported").returncode == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["fetch", "phantom_abdomn"], ["Did you mean 'phantom_abdomen'"]),
        (["prepare", "phantom_lesion"], ["source.json"]),
        (["predict", "supervised/a/b/full/seed_0", "x.png", "--out", "y"], ["run.json", "existing"]),
        (["predict", "nonsense", "x.png", "--out", "y"], ["track/task/method/condition/seed_N"]),
        (
            ["predict", RUN, "no.png", "--out", "y"],
            ["no.png", "an existing file"],
        ),
        (
            ["predict", RUN, "Snakefile", "--out", "y"],
            ["Snakefile", "an image as the run was trained on"],
        ),
        (
            ["subset", "supervised", "phantom_lesion_mini", "labels_1", "--seed", "0", "--out", "y.csv"],
            ["labels_1", "one of full"],
        ),
        (
            ["train", RUN, "--schedule", "{}", "--cases", "phantom_lesion_mini.csv", "--variant", "last_plain"],
            ["--schedule", "image_size"],
        ),
        (["check", "phantom_lesion"], ["card.json", "an existing JSON file"]),
        (["croissant", "phantom_lesion", "--out", "y"], ["card.json", "an existing JSON file"]),
        (["docs", "--check"], ["docs/datasets.md", "python -m mmseg_ext docs"]),
        (
            ["scaffold", "dataset", "mine", "--layout", "nifti_volumes", "--path", "no/where"],
            ["no/where", "a folder images"],
        ),
        (["scaffold", "method", "supervised", "unet", "--base", "unet_tiny"], ["unet.py", "a name that is not taken"]),
        (["plan", "--suite", "configs/suites/demmo.yaml"], ["demmo.yaml", "an existing YAML file"]),
        (["cost", "unet_tinny"], ["unet_tinny", "a method of track 'supervised'"]),
        (["cost", "unet_tiny", "--out", "y.txt"], ["y.txt", ".csv or .md"]),
    ],
)
def test_bad_input_ends_with_one_line(trained, arguments, words):
    done = call(trained, *arguments)
    assert done.returncode == 2
    lines = [line for line in done.stderr.splitlines() if "Warning" not in line and "warnings.warn" not in line]
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("error: ")
    for word in words:
        assert word in lines[0]
    assert not (trained.folder / "y").exists()
