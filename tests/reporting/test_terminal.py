import io

import pytest
from rich.console import Console
from support.analysed import CONFIGS, make_analysed
from support.fake_results import make_suite

from mmseg_ext.analysis.analyse import analyse
from mmseg_ext.reporting.inputs import read_inputs
from mmseg_ext.reporting.summary import leaders
from mmseg_ext.reporting.tables import result_tables
from mmseg_ext.reporting.terminal import print_summary
from mmseg_ext.suite.errors import InputError
from mmseg_ext.suite.files import read_json, write_json


def test_summary(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    suite = make_analysed(tmp_path, cases=2, seeds=(0,))
    out = io.StringIO()
    tables = suite.paths.tables(suite.suite)
    print_summary(suite.plan, tables, Console(file=out, width=200))
    text = out.getvalue()
    assert "Phantom abdomen" in text
    assert "11 of 12 runs finished; 1 failed." in text
    assert "loss is NaN" in text
    assert "no result" in text
    (tables / "scores.csv").unlink()
    with pytest.raises(InputError, match=r"scores.csv.*Run `python -m mmseg_ext analyse`"):
        print_summary(suite.plan, tables)


def test_a_task_with_unseen_classes_is_ordered_by_them(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    suite = make_suite(tmp_path, cases=6, seeds=(0, 1))
    plan = read_json(suite.plan)
    plan["tasks"]["phantom_abdomen"]["unseen"] = ["spleen"]
    write_json(suite.plan, plan)
    tables = suite.paths.tables(suite.suite)
    analyse(suite.plan, tables, CONFIGS)
    inputs = read_inputs(suite.plan, tables)
    where = {task: ("supervised", task, task) for task in inputs.plan.tasks}
    found = {task: result_tables(inputs, *where[task], "strict") for task in where}
    unseen, macro, *_ = found["phantom_abdomen"]
    plain = found["phantom_lesion"][0]
    assert unseen.columns == ["harmonic IoU", "unseen IoU", "seen IoU", "pixel accuracy"]
    assert "not separable in harmonic IoU" in unseen.caption
    assert "not separable in DSC" in plain.caption
    assert (unseen.has_letters, macro.has_letters, plain.has_letters) == (True, False, True)
    leader = leaders(inputs, *where["phantom_abdomen"], unseen)[0]
    assert (leader.score.measure, leader.row.method) == ("iou_harmonic", "unet_tiny")
    scores = inputs.deciding_scores(track="supervised")
    assert set(zip(scores["task"], scores["measure"], strict=True)) == {
        ("phantom_abdomen", "iou"), ("phantom_lesion", "dsc")
    }  # fmt: skip
    out = io.StringIO()
    print_summary(suite.plan, tables, Console(file=out, width=200))
    assert "harmonic IoU" in out.getvalue()
