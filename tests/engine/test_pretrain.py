import json
import signal
import subprocess
import sys

import cv2
import numpy as np
import pandas as pd
import pytest
import torch
from support.tiny_pretraining import TinyPretraining
from support.tiny_run import ROOT

from mmseg_ext.data.prepared import PreparedDataset
from mmseg_ext.engine.budget import with_pretraining_steps
from mmseg_ext.engine.loop import IterationLoop
from mmseg_ext.engine.pretrain_dataset import UnlabelledSlices
from mmseg_ext.engine.train import train_run
from mmseg_ext.suite.errors import InputError
from mmseg_ext.suite.files import read_json, write_json
from mmseg_ext.suite.matrix import PlannedRun, RunId
from mmseg_ext.suite.suite_config import Pretraining
from mmseg_ext.suite.superpixel_recipe import read_recipe
from mmseg_ext.superpixels.make import make_maps


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    return TinyPretraining(tmp_path_factory.mktemp("pretraining"))


@pytest.fixture(scope="module")
def finished(tiny):
    """The folder of a pre-training never disturbed."""
    return tiny.pretrain()


def same(one, other):
    return all(torch.equal(one[name], value) for name, value in other.items()) and one.keys() == other.keys()


def weights(folder):
    return torch.load(folder / "encoder.pth", weights_only=True)


def test_the_folder_holds_encoder_curves_cost_and_record(tiny, finished):
    record = read_json(finished / "record.json")
    assert record["patients"] == 3  # two for training, one for validation, none for testing
    assert record["iterations"] == 8
    assert record["settings"]["method"] == "nano_simclr"
    assert record["key"] == tiny.need(tiny.settings()).key
    assert all(name.startswith(("stages.", "bottom.")) for name in weights(finished))
    curves = pd.read_csv(finished / "curves.csv")
    assert set(curves["series"]) == {"loss", "loss_contrast", "learning_rate"}
    total, term = (curves.loc[curves["series"] == name, "value"].tolist() for name in ("loss", "loss_contrast"))
    assert total == term
    assert curves[curves["series"] == "learning_rate"]["value"].iloc[-1] < 0.001
    cost = read_json(finished / "cost.json")
    assert cost["parameters_total"] > cost["parameters_encoder"] > 0
    cases = pd.read_csv(tiny.paths().work(record["key"]) / "cases.csv")
    assert cases["case"].tolist() == ["a", "b", "c"]
    probe = read_json(finished / "probe.json")
    assert probe["slices"] == {"train": 6, "val": 3}
    assert set(probe["dsc"]) == {"before", "after"}
    assert (finished / "features.npz").is_file()


def test_a_pre_training_killed_in_the_middle_ends_like_one_never_killed(tiny, finished, capfd):
    code = f"""
import os, signal, sys
from pathlib import Path
sys.path[:0] = {[str(ROOT), str(ROOT / "tests")]!r}
from support.tiny_pretraining import TinyPretraining
from mmseg_ext.engine.budget import with_pretraining_steps
from mmseg_ext.engine.loop import IterationLoop
tiny = TinyPretraining.__new__(TinyPretraining)
tiny.folder = Path({str(tiny.folder)!r})
step = IterationLoop.step
def dying(self, batch):
    if self.iter == 5:
        os.kill(os.getpid(), signal.SIGKILL)
    step(self, batch)
IterationLoop.step = dying
tiny.pretrain("killed")
"""
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert process.returncode == -signal.SIGKILL, process.stderr.decode()
    assert not tiny.need(tiny.settings(), "killed").folder.exists()
    resumed = tiny.pretrain("killed")
    assert "resumed after iteration 4" in capfd.readouterr().err
    assert same(weights(resumed), weights(finished))
    assert (resumed / "record.json").read_bytes() == (finished / "record.json").read_bytes()
    assert (resumed / "curves.csv").read_bytes() == (finished / "curves.csv").read_bytes()


def test_another_seed_gives_another_encoder(tiny, finished):
    assert not same(weights(tiny.pretrain("other_seed", seed=4)), weights(finished))


def fine_tune(tiny, method, results="results", **changes):
    asked = Pretraining(schedule=tiny.settings().schedule)
    planned = tiny.planned(iterations=2, validations=1, **changes)
    run = RunId("supervised", "boxes", method, "full", 3)
    paths = tiny.paths(results)
    train_run(PlannedRun(run, planned.schedule, asked), method, tiny.catalogue, paths, tiny.subset, ["last_plain"], 1)
    return paths.run(run)


def test_fine_tuning_starts_from_the_encoder(tiny, finished, monkeypatch):
    seen = {}
    run = IterationLoop.run

    def looking(self):
        seen.update({name: value.clone() for name, value in self.runner.model.backbone.state_dict().items()})
        return run(self)

    monkeypatch.setattr(IterationLoop, "run", looking)
    folder = fine_tune(tiny, "nano_simclr")
    assert same(seen, weights(finished))
    report = read_json(folder / "initial_weights.json")
    assert report == {"loaded": sorted(weights(finished)), "skipped": [], "missing": []}


def test_fine_tuning_without_the_encoder_is_refused(tiny):
    with pytest.raises(InputError, match="the result of the stage pretrain"):
        fine_tune(tiny, "nano_simclr", "nothing_there")


def test_superpixels_made_beforehand_are_used(tiny):
    settings = tiny.settings("nano_supercl_precomputed")
    (maps,) = tiny.need(settings).needs
    with pytest.raises(InputError, match="the result of the stage superpixels"):
        tiny.pretrain(method="nano_supercl_precomputed")
    recipe = read_recipe(maps.recipe["settings"], "test")
    make_maps(PreparedDataset(tiny.paths().prepared("boxes")), recipe, maps.folder)
    assert weights(tiny.pretrain(method="nano_supercl_precomputed"))
    for sample, values, words in (
        ("a_0", np.arange(20, dtype=np.uint16).reshape(4, 5), "those of its image"),
        ("a_1", np.ones((20, 26), np.uint16), "two or more segments"),
        ("a_2", np.eye(20, 26, dtype=np.uint16), "numbered from 1"),
    ):
        whole = (maps.folder / f"{sample}.png").read_bytes()
        cv2.imwrite(str(maps.folder / f"{sample}.png"), values)
        with pytest.raises(InputError, match=words) as error:
            tiny.pretrain("broken", method="nano_supercl_precomputed", seed=5)
        assert error.value.file.endswith(f"{sample}.png")
        (maps.folder / f"{sample}.png").write_bytes(whole)
    for field, value in (("recipe", {"algorithm": "seeds"}), ("data_sha256", "of other images")):
        record = read_json(maps.done)
        write_json(maps.done, {**record, field: value})
        with pytest.raises(InputError, match="Make the maps again") as error:
            tiny.pretrain("other_maps", method="nano_supercl_precomputed", seed=5)
        assert (error.value.file, error.value.field) == (str(maps.done), field)
        write_json(maps.done, record)


def test_an_image_smaller_than_the_input_lies_in_its_middle(tiny):
    """Around it images are black, and its map is 0, where no cell takes part in a loss."""
    prepared = PreparedDataset(tiny.paths().prepared("boxes"))
    folder = tiny.folder / "halves"
    folder.mkdir()
    ids = np.repeat(np.array([[1, 2]], np.uint16), 13, axis=1).repeat(20, axis=0)
    for sample in prepared.samples["sample"]:
        cv2.imwrite(str(folder / f"{sample}.png"), ids)
    slices = UnlabelledSlices(
        prepared={"boxes": str(prepared.root)},
        subset_file=str(tiny.subset),
        image_size=(32, 40),
        fit="pad",
        views={"type": "SuperpixelViews", "spatial": {"mirror": 0.0, "probability": 0.0}},
        seed=0,
        superpixels={"boxes": str(folder)},
    )
    found = slices[0, 0]
    inside = np.zeros((32, 40), bool)
    inside[6:26, 7:33] = True
    assert (found["superpixels"][:, 6:26, 7:33] == ids).all()
    assert not found["superpixels"][:, ~inside].any()
    # A blur over 3 x 3 pixels reaches one further.
    assert np.abs(found["views"][:, [*range(5), *range(27, 32)]]).max() < 1e-6
    assert found["views"][:, inside].max() == pytest.approx(1)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"image_size": (16, 18)}, "schedule.image_size"),
        ({"batch_size": 1}, "schedule.batch_size"),
        ({"batch_size": 10}, "schedule.batch_size"),
        ({"parts": [{"dataset": "gone", "subset": "train"}]}, "source"),
    ],
)
def test_settings_that_cannot_be(tiny, changes, field):
    with pytest.raises(InputError) as error:
        tiny.pretrain("wrong", **changes)
    assert error.value.field == field


def test_an_image_smaller_than_a_cell_of_the_grid(tmp_path):
    tiny = TinyPretraining(tmp_path)
    file = tiny.paths().prepared("boxes") / "samples.csv"
    table = pd.read_csv(file)
    table.loc[2, ["height", "width"]] = [3, 26]
    table.to_csv(file, index=False)
    with pytest.raises(InputError, match="one cell of the encoder's bottom"):
        tiny.pretrain()
    work = tiny.paths().work(tiny.need(tiny.settings()).key)
    assert json.loads((work / "failure.json").read_text())["stage"] == "setup"


def test_a_source_without_patients(tmp_path):
    tiny = TinyPretraining(tmp_path)
    file = tiny.paths().prepared("boxes") / "splits.csv"
    file.write_text(file.read_text().replace("train", "test").replace("val", "test"))
    with pytest.raises(InputError, match="at least one in boxes/train, boxes/val"):
        tiny.pretrain()


def test_the_same_budget_is_the_steps_of_both(tiny):
    facts = read_json(fine_tune(tiny, "nano_scratch_same_budget") / "run.json")
    assert facts["iterations"] == 2 + 8
    run = RunId("supervised", "boxes", "nano_scratch_same_budget", "full", 3)
    task = tiny.catalogue.task("boxes", "test", "task")
    prepared = {"boxes": PreparedDataset(tiny.paths().prepared("boxes"))}
    schedule = tiny.planned(iterations=2).schedule
    by_epochs = tiny.settings(iterations=None, epochs=2).schedule
    planned = PlannedRun(run, schedule, Pretraining(schedule=by_epochs))
    # Nine unlabelled slices in batches of four, twice.
    assert with_pretraining_steps(planned, task, prepared, 6).iterations == 2 + 5
    for asked, words in [
        (None, "`pretraining` of the track"),
        (Pretraining(source="x", schedule=by_epochs), "cannot be counted"),
    ]:
        with pytest.raises(InputError, match=words):
            with_pretraining_steps(PlannedRun(run, schedule, asked), task, prepared, 6)
