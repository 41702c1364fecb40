import pandas as pd
import pytest
from support.fake_results import make_suite

from mmseg_ext.analysis.collect import collect, read_cases
from mmseg_ext.analysis.controls import control_table
from mmseg_ext.analysis.measures import select
from mmseg_ext.analysis.plan_file import read_plan
from mmseg_ext.suite.errors import InputError


@pytest.fixture
def suite(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return make_suite(tmp_path, seeds=(0,), cases=3)


def check(suite):
    plan = read_plan(suite.plan)
    return control_table(plan, collect(plan).cases)


def test_bounded(suite):
    table = check(suite)
    assert set(table["verdict"]) == {"bounded"}
    dsc = select(table, task="phantom_abdomen", measure="dsc").iloc[0]
    assert (dsc["oracle"], dsc["empty"]) == (1, 0)
    assert 0 < dsc["dilated"] < 1


def test_missing_controls_are_said_to_be_missing(suite):
    (suite.paths.controls("phantom_lesion") / "cases.csv").unlink()
    row = select(check(suite), task="phantom_lesion").iloc[0]
    assert row["verdict"] == "not run"
    assert "does not exist" in row["reason"]


@pytest.mark.parametrize(
    ("control", "measure", "value", "message"),
    [
        ("oracle", "dsc", 0.99, "dsc of control/oracle.*perfect"),
        ("oracle", "hd95", 0.5, "hd95 of control/oracle.*perfect"),
        ("empty", "nsd", 0.1, "nsd of control/empty.*score 0"),
        ("dilated", "assd", 1e6, "assd of control/dilated.*no worse than empty"),
    ],
)
def test_a_broken_control_stops(suite, control, measure, value, message):
    path = suite.paths.controls("phantom_lesion") / "cases.csv"
    frame = read_cases(path)
    frame.loc[(frame["method"] == control) & (frame["case"] == "case_001"), measure] = value
    frame.to_csv(path, index=False)
    with pytest.raises(InputError, match=message):
        check(suite)


def test_a_run_beyond_its_bounds_stops(suite):
    path = suite.paths.run(suite.runs[0]) / "cases.csv"
    frame = pd.read_csv(path)
    frame.loc[0, "dsc"] = 1.2
    frame.to_csv(path, index=False)
    with pytest.raises(InputError, match=r"dsc of supervised/.*no better than the oracle"):
        check(suite)
