from pathlib import Path

import pandas as pd
import pytest
from support.fake_plan import FAILED
from support.fake_results import make_suite

from mmseg_ext.analysis.analyse import analyse
from mmseg_ext.analysis.measures import select
from mmseg_ext.suite.files import read_json, write_json

CONFIGS = Path(__file__).parents[2] / "configs"
TABLES = {
    "cases", "scores", "pooled", "comparisons", "ranks", "status", "cost", "claims", "controls", "noise",
    "sensitivity", "flags",
}  # fmt: skip


@pytest.fixture
def suite(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return make_suite(tmp_path, seeds=(0, 1), cases=4)


def run(suite, name="tables"):
    out = suite.root / name
    analyse(suite.plan, out, CONFIGS)
    assert {path.stem for path in out.iterdir()} == TABLES
    return {path.stem: path for path in out.iterdir()}


def test_bytes_do_not_depend_on_the_order_of_rows(suite):
    first = {name: path.read_bytes() for name, path in run(suite).items()}
    path = suite.paths.run(suite.runs[0]) / "cases.csv"
    pd.read_csv(path).sample(frac=1, random_state=0).to_csv(path, index=False)
    plan = read_json(suite.plan)
    write_json(suite.plan, {**plan, "runs": plan["runs"][::-1]})
    second = {name: path.read_bytes() for name, path in run(suite, "again").items()}
    assert first == second


def test_a_failed_seed_is_flagged_and_the_rest_is_scored(suite):
    tables = {name: pd.read_csv(path) for name, path in run(suite).items()}
    scores = select(tables["scores"], class_name="macro", measure="dsc", task=FAILED.task, condition=FAILED.condition)
    assert dict(zip(scores["method"], scores["n_seeds"], strict=True)) == {
        "segformer_b0": 2,
        "transunet_tiny": 1,
        "unet_tiny": 2,
    }
    flags = tables["flags"]
    assert "supervised/phantom_lesion/transunet_tiny/labels_25" in set(select(flags, kind="missing_seeds")["subject"])
    assert set(select(flags, kind="few_cases")["subject"]) == {"phantom_abdomen", "phantom_lesion"}
    assert set(select(flags, kind="few_seeds")["subject"]) == {"phantom_abdomen", "phantom_lesion"}
    assert set(tables["claims"]["verdict"]) == {"not run"}
    assert "hiperformer is not in this suite" in set(tables["claims"]["reason"])
    assert tables["claims"]["reason"].str.endswith("is not in this suite").all()


def test_an_option_without_effect_is_flagged(suite):
    one, other = (suite.paths.run(run) / "run.json" for run in suite.runs[:2])
    record = read_json(other)
    record["variants"] = read_json(one)["variants"]
    write_json(other, record)
    flags = select(pd.read_csv(run(suite)["flags"]), kind="same_predictions")
    assert flags["subject"].item() == ", ".join(map(str, suite.runs[:2]))


def test_nothing_finished_is_still_analysed(suite):
    for planned in suite.runs:
        (suite.paths.run(planned) / "run.json").unlink(missing_ok=True)
    tables = {name: pd.read_csv(path) for name, path in run(suite).items()}
    assert tables["scores"].empty
    assert len(tables["status"]) == len(suite.runs)
