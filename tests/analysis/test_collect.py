import pandas as pd
import pytest
from support.fake_plan import FAILED, key_of
from support.fake_results import make_suite

from mmseg_ext.analysis.collect import collect, read_cases
from mmseg_ext.analysis.measures import CASE_COLUMNS, select
from mmseg_ext.analysis.plan_file import read_plan
from mmseg_ext.suite.errors import InputError
from mmseg_ext.suite.files import read_json, write_json


@pytest.fixture
def suite(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return make_suite(tmp_path, seeds=(0,), cases=3)


def state(suite, run):
    results = collect(read_plan(suite.plan))
    row = select(results.status, run=str(run)).iloc[0]
    return row["status"], row["reason"]


def test_a_failed_run_leaves_the_rest_standing(suite):
    results = collect(read_plan(suite.plan))
    assert state(suite, FAILED) == ("failed", "train at iteration 37: loss is NaN (learning rate 0.1)")
    assert (results.status["status"] == "done").sum() == len(suite.runs) - 1
    assert list(results.cases.columns) == CASE_COLUMNS
    assert results.cases.groupby(["task", "method", "condition"]).ngroups == len(suite.runs) - 1
    assert set(results.curves["series"]) == {"loss", "val_dsc"}
    assert results.cost["flops_input"].unique() == ["1x64x64"]


def test_why_a_run_has_no_result(suite):
    first, second, third = suite.runs[:3]
    (suite.paths.run(first) / "run.json").unlink()
    assert state(suite, first) == ("not run", "no result, and no record of a failure")
    (suite.paths.run(second) / "cases.csv").unlink()
    assert state(suite, second) == ("not run", "trained, but not evaluated")
    record = suite.paths.run(third) / "run.json"
    write_json(record, {**read_json(record), "key": "0" * 16})
    assert (
        state(suite, third)[1]
        == f"its folder holds results of other settings (key {'0' * 16}, planned {key_of(third)})"
    )


def test_a_protocol_without_rows(suite):
    path = suite.paths.run(suite.runs[0]) / "cases.csv"
    frame = pd.read_csv(path).assign(protocol="other")
    frame.to_csv(path, index=False)
    assert state(suite, suite.runs[0]) == ("not run", "not evaluated under strict")


def test_nothing_finished_gives_empty_tables(suite):
    for run in suite.runs:
        (suite.paths.run(run) / "run.json").unlink(missing_ok=True)
    results = collect(read_plan(suite.plan))
    assert results.cases.empty
    assert list(results.cases.columns) == CASE_COLUMNS


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda frame: pd.concat([frame, frame.iloc[:1]]), "rows.*one row per run"),
        (lambda frame: frame.drop(columns="nsd"), "columns"),
        (lambda frame: frame.assign(method="unet_giant"), "method.*unet_giant"),
    ],
)
def test_a_broken_table_is_an_error(suite, change, message):
    path = suite.paths.run(suite.runs[0]) / "cases.csv"
    change(pd.read_csv(path)).to_csv(path, index=False)
    with pytest.raises(InputError, match=message):
        collect(read_plan(suite.plan))


def test_a_case_may_be_called_na(suite, tmp_path):
    frame = read_cases(suite.paths.run(suite.runs[0]) / "cases.csv")
    frame.loc[frame["case"] == "case_000", "case"] = "NA"
    frame.loc[0, "dsc"] = None
    frame.to_csv(tmp_path / "cases.csv", index=False)
    again = read_cases(tmp_path / "cases.csv")
    assert "NA" in set(again["case"])
    assert again["dsc"].isna().sum() == 1
