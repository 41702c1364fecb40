"""A method that asks for superpixel maps gets them from the workflow, made once and kept."""

import json

import pytest
from support.workspace import Workspace

from mmseg_ext.suite.superpixel_recipe import read_recipe

pytestmark = pytest.mark.workflow
RECIPE = {"algorithm": "slic_opencv", "segments": 50}
DATASET = "phantom_abdomen_mini"


@pytest.fixture
def workspace(tmp_path):
    workspace = Workspace(tmp_path)
    config = workspace.folder / "configs/methods/supervised/unet_tiny.py"
    config.write_text(f"{config.read_text()}\nsuperpixels = {RECIPE!r}\n")
    return workspace


def test_maps_are_made_once(workspace):
    jobs = workspace.jobs("smoke")
    assert jobs["superpixels"] >= 1
    folder = f"data/prepared/{DATASET}/superpixels/{read_recipe(RECIPE, 'test').id}"
    done = workspace.snakemake("smoke", f"{folder}/maps.json")
    assert done.returncode == 0, done.stdout + done.stderr
    record = json.loads((workspace.folder / folder / "maps.json").read_text())
    assert record["recipe"]["segments"] == 50
    assert len(list((workspace.folder / folder).glob("*.png"))) == record["samples"] > 0
    assert workspace.jobs("smoke", f"{folder}/maps.json") == {}


def test_maps_nobody_needs_are_refused(workspace):
    done = workspace.snakemake("smoke", f"data/prepared/{DATASET}/superpixels/lsc_00000000/maps.json")
    assert done.returncode != 0
    assert "is not needed by any run" in done.stdout + done.stderr
