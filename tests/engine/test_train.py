import json
import signal
import subprocess
import sys

import pandas as pd
import pytest
import torch
from support.tiny_run import ROOT, TinyRun, make_boxes

from mmseg_ext.engine.hooks.finite import NonFiniteError
from mmseg_ext.engine.predict import CaseReader, load_run
from mmseg_ext.evaluation.predictions import read_prediction
from mmseg_ext.suite.errors import InputError
from mmseg_ext.suite.files import read_json

ALL = ("last_plain", "last_flip", "best_val_plain")


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    return TinyRun(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="module")
def finished(tiny):
    """The folder of a run never disturbed."""
    return tiny.train("undisturbed", variants=ALL)


def predictions(folder):
    return {path.relative_to(folder): path.read_bytes() for path in sorted(folder.glob("predictions/*/*/*.npz"))}


def test_run_folder_holds_what_later_stages_read(finished):
    facts = read_json(finished / "run.json")
    assert facts["run"] == "supervised/boxes/nano/full/seed_3"
    assert facts["cases"] == {"train": 2, "val": 1, "test": 2}
    assert facts["iterations"] == 12
    assert facts["fit"] == "pad"
    assert facts["layout"]["layout"] == "nifti_volumes"
    assert set(facts["variants"]) == set(ALL)
    assert facts["variants"]["best_val_plain"]["selected_on"] == "val"
    assert facts["variants"]["last_flip"] == facts["variants"]["last_flip"] | {"rule": "last", "iteration": 12}
    assert {path.parts[-1] for path in predictions(finished)} == {"d.npz", "e.npz"}
    cost = read_json(finished / "cost.json")
    assert cost["parameters_live"] == cost["parameters_total"] > 0
    assert cost["flops"] > 0
    for rule in ("last", "best_val"):
        assert torch.load(finished / "weights" / f"{rule}.pth", weights_only=True)
    labels = read_prediction(finished / "predictions/last_plain/boxes", "d")
    assert labels.shape == (3, 20, 26)


def test_curves_have_loss_learning_rate_and_validation(finished):
    curves = pd.read_csv(finished / "curves.csv")
    assert list(curves.columns) == ["iteration", "series", "value"]
    assert curves[curves["series"] == "val_dsc"]["iteration"].tolist() == [4, 8, 12]
    assert curves[curves["series"] == "loss"]["iteration"].tolist() == list(range(1, 13))
    assert (curves["series"] == "learning_rate").sum() == 12


def test_a_run_killed_in_the_middle_ends_like_one_never_killed(tiny, finished, capfd):
    code = f"""
import os, signal, sys
from pathlib import Path
sys.path[:0] = {[str(ROOT), str(ROOT / "tests")]!r}
from support.tiny_run import TinyRun
from mmseg_ext.engine.loop import IterationLoop
tiny = TinyRun.__new__(TinyRun)
tiny.folder, tiny.subset = Path({str(tiny.folder)!r}), Path({str(tiny.subset)!r})
step = IterationLoop.step
def dying(self, batch):
    if self.iter == 6:
        os.kill(os.getpid(), signal.SIGKILL)
    step(self, batch)
IterationLoop.step = dying
tiny.train("killed", variants={ALL!r})
"""
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert process.returncode == -signal.SIGKILL, process.stderr.decode()
    work = tiny.paths("killed").work("key")
    assert [path.name for path in sorted(work.glob("*.pth"))] == ["iteration_00000004.pth"]

    resumed = tiny.train("killed", variants=ALL)
    assert "resumed after iteration 4" in capfd.readouterr().err
    assert predictions(resumed) == predictions(finished)
    assert (resumed / "curves.csv").read_bytes() == (finished / "curves.csv").read_bytes()
    facts, undisturbed = read_json(resumed / "run.json"), read_json(finished / "run.json")
    assert facts == undisturbed


def test_a_finished_run_only_exports_again(tiny, finished, monkeypatch):
    from mmseg_ext.engine.loop import IterationLoop

    monkeypatch.setattr(IterationLoop, "step", lambda *_: pytest.fail("trained again"))
    before = predictions(finished)
    assert predictions(tiny.train("undisturbed", variants=ALL)) == before


def test_two_checkpoints_are_kept(tiny, finished):
    work = tiny.paths("undisturbed").work("key")
    names = sorted(path.name for path in work.glob("*.pth"))
    assert names == ["iteration_00000008.pth", "iteration_00000012.pth"]
    assert not (work / "failure.json").exists()


@pytest.mark.parametrize("changed", ["data", "subset", "key"])
def test_a_checkpoint_for_something_else_is_not_used(tmp_path, changed, capfd):
    tiny = TinyRun(tmp_path)
    tiny.train(iterations=4, validations=1)
    work = tiny.paths().work("key")
    if changed == "data":
        make_boxes(tmp_path / "data/prepared/boxes", shade=500)
    elif changed == "subset":
        tiny.subset.write_text(tiny.subset.read_text().replace("boxes,e,e,test\n", ""))
    else:
        identity = json.loads((work / "identity.json").read_text())
        (work / "identity.json").write_text(json.dumps({**identity, "key": "other"}))
    (work / "marker").touch()
    capfd.readouterr()
    tiny.train(iterations=4, validations=1)
    assert not (work / "marker").exists()
    assert "resumed" not in capfd.readouterr().err


def test_a_diverged_run_stops_names_the_iteration_and_keeps_the_last_good_checkpoint(tmp_path, monkeypatch):
    from mmseg_ext.engine.loop import IterationLoop

    tiny = TinyRun(tmp_path)
    step = IterationLoop.step

    def poisoned(self, batch):
        if self.iter == 6:
            batch["inputs"][0] = float("nan")
        step(self, batch)

    monkeypatch.setattr(IterationLoop, "step", poisoned)
    with pytest.raises(NonFiniteError, match="loss is nan at iteration 7"):
        tiny.train()
    work = tiny.paths().work("key")
    failure = read_json(work / "failure.json")
    assert failure["stage"] == "train"
    assert failure["iteration"] == 7
    assert "loss is nan" in failure["reason"]
    assert [path.name for path in work.glob("*.pth")] == ["iteration_00000004.pth"]
    assert not tiny.paths().run(tiny.run).exists()
    monkeypatch.undo()
    tiny.train()
    assert not (work / "failure.json").exists()


def test_weights_that_are_not_finite_are_never_saved(tmp_path, monkeypatch):
    from mmseg_ext.engine.loop import IterationLoop

    tiny = TinyRun(tmp_path)
    step = IterationLoop.step

    def broken(self, batch):
        if self.iter == 3:
            with torch.no_grad():
                self.runner.model.decode_head.conv_seg.bias.add_(1e38).mul_(10)
        step(self, batch)

    monkeypatch.setattr(IterationLoop, "step", broken)
    with pytest.raises(NonFiniteError):
        tiny.train()
    assert not list(tiny.paths().work("key").glob("*.pth"))


def test_selection_by_validation_needs_validation_cases(tmp_path):
    tiny = TinyRun(tmp_path)
    tiny.subset.write_text(tiny.subset.read_text().replace("boxes,c,c,val\n", ""))
    with pytest.raises(InputError, match="no val case"):
        tiny.train(variants=("best_val_plain",))
    assert read_json(tiny.paths().work("key") / "failure.json")["stage"] == "setup"
    folder = tiny.train(iterations=4, validations=2)
    assert sorted(path.name for path in (folder / "weights").iterdir()) == ["last.pth"]


def test_the_test_set_chooses_only_where_it_is_asked_to(tiny, finished):
    plain = tiny.train("choosing", variants=("last_plain",))
    assert not (plain / "weights" / "best_test.pth").exists()
    # Its checkpoints hold no such weights, so it is trained again, to the same end.
    folder = tiny.train("choosing", variants=("last_plain", "best_test_plain"))
    facts = read_json(folder / "run.json")["variants"]
    assert (facts["best_test_plain"]["rule"], facts["best_test_plain"]["selected_on"]) == ("best_test", "test")
    assert facts["last_plain"] == read_json(finished / "run.json")["variants"]["last_plain"]
    curves = pd.read_csv(folder / "curves.csv")
    test = curves[curves["series"] == "test_dsc"]
    assert facts["best_test_plain"]["iteration"] == test.loc[test["value"].idxmax(), "iteration"]
    assert torch.load(folder / "weights" / "best_test.pth", weights_only=True)


@pytest.mark.parametrize(("old", "new", "field"), [("d,d", "z,z", "case"), ("e,e,test", "e,e,exam", "subset")])
def test_a_subset_that_does_not_fit_the_data_is_an_input_error(tmp_path, old, new, field):
    tiny = TinyRun(tmp_path)
    tiny.subset.write_text(tiny.subset.read_text().replace(old, new))
    with pytest.raises(InputError) as error:
        tiny.train()
    assert error.value.field == field


def test_unknown_variant_is_an_input_error(tiny):
    with pytest.raises(InputError, match="first_plain"):
        tiny.train("unknown", variants=("first_plain",))


def test_bf16_trains_on_a_cpu_and_epochs_count_samples(tiny):
    folder = tiny.train("bf16", precision="bf16", iterations=None, epochs=3, batch_size=4)
    facts = read_json(folder / "run.json")
    assert facts["precision"] == "bf16"
    assert facts["iterations"] == 5  # 6 slices, 3 epochs, batches of 4
    weights = torch.load(folder / "weights/last.pth", weights_only=True)
    assert all(value.dtype != torch.bfloat16 for value in weights.values())


def test_a_loaded_run_predicts_what_was_written(tiny, finished):
    from mmseg_ext.data.prepared import PreparedDataset

    run = load_run(finished)
    data = PreparedDataset(tiny.paths().prepared("boxes"))
    labels = run.predictor.segment(*CaseReader({"boxes": data}).images(data.cases["e"]))
    assert (labels == read_prediction(finished / "predictions/last_plain/boxes", "e")).all()


def test_a_run_of_another_format_is_refused(finished, tmp_path):
    facts = read_json(finished / "run.json")
    (tmp_path / "run.json").write_text(json.dumps({**facts, "format": 99}))
    with pytest.raises(InputError, match="99"):
        load_run(tmp_path)
    (tmp_path / "run.json").write_text(json.dumps(facts))
    with pytest.raises(InputError, match="weights of this run"):
        load_run(tmp_path, "best_test")


def test_evaluation_mode_from_an_iteration_on(tmp_path):
    tiny = TinyRun(tmp_path)
    file = tiny.folder / "configs/methods/supervised/nano.py"
    file.write_text(file.read_text() + "\ntrain_cfg = dict(eval_mode_after='$epoch_iters')\n")
    folder = tiny.train(iterations=6, validations=1)
    # Two cases of three slices in batches of four: the running statistics have seen two batches.
    weights = torch.load(folder / "weights/last.pth", weights_only=True)
    assert {int(value) for name, value in weights.items() if name.endswith("num_batches_tracked")} == {2}
