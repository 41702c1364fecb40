from pathlib import Path

import pandas as pd
import pytest
import yaml

from mmseg_ext.analysis.sensitivity import MEASURED, PUBLISHED, sensitivity_table
from mmseg_ext.suite.errors import InputError
from mmseg_ext.suite.loading import parse
from mmseg_ext.suite.suite_config import Suite

CONFIGS = Path(__file__).parents[2] / "configs"
SCHEDULE = {"image_size": [64, 64], "batch_size": 4, "iterations": 10}
SHEET = {
    "sensitivity": "share",
    "title": "Shares",
    "track": "pretraining",
    "published": {"paper": "paper", "table": "Figure 1", "metric": "Dice"},
    "panels": [
        {
            "label": "share",
            "published": "Ours, s=",
            "points": [{"value": 0.5, "method": "half"}, {"value": 1, "method": "whole"}],
        }
    ],
}
TABLE = """\
table,dataset,method,metric,value,unit
Figure 1,Skin,"Ours, s=0.5",Dice,0.7,fraction
Figure 1,Skin,"Ours, s=1",Dice,0.8,fraction
Figure 1,Lung,"Ours, s=1",Dice,60,percent
Figure 1,Skin,"Ours, t=1",Dice,0.1,fraction
Figure 2,Skin,"Ours, s=2",Dice,0.2,fraction
Figure 1,Skin,"Ours, s=2",IoU,0.3,fraction
"""


def suite(**sheet):
    runs = {"tasks": ["phantom_lesion"], "methods": ["half", "whole"], "conditions": ["full"], "schedule": SCHEDULE}
    plain = {"suite": "s", "title": "S", "seeds": [0], "protocols": ["strict"], "tracks": {"pretraining": runs}}
    return parse(Suite, {**plain, "sensitivity": [{**SHEET, **sheet}]}, "suite file")


class Plan:
    own_protocols = ("strict",)

    def __init__(self, **sheet):
        self.suite = suite(**sheet)


def table_of(tmp_path, text=TABLE, **sheet):
    (tmp_path / "published").mkdir(exist_ok=True)
    (tmp_path / "published/paper.csv").write_text(text)
    row = {
        "track": "pretraining", "task": "phantom_lesion", "dataset": "phantom_lesion", "condition": "full",
        "protocol": "strict", "class_name": "macro", "measure": "dsc", "ci_low": 0.5, "ci_high": 0.9,
    }  # fmt: skip
    others = [{"measure": "iou"}, {"class_name": "lesion"}, {"protocol": "paper"}, {"method": "other"}]
    scores = [
        {**row, "method": "half", "mean": 0.6},
        *({**row, "method": "half", "mean": 9.0, **one} for one in others),
    ]
    return sensitivity_table(tmp_path, Plan(**sheet), pd.DataFrame(scores))


def test_measured_and_published_points(tmp_path):
    found = table_of(tmp_path)
    measured, published = (found[found["source"] == source] for source in (MEASURED, PUBLISHED))
    # The run of the method `whole` is missing, and so is its point.
    assert measured[["value", "mean", "ci_low", "ci_high"]].to_numpy().tolist() == [[0.5, 0.6, 0.5, 0.9]]
    points = published[["dataset", "value", "mean"]].to_numpy().tolist()
    assert points == [["Skin", 0.5, 0.7], ["Skin", 1.0, 0.8], ["Lung", 1.0, 0.6]]
    assert published["ci_low"].isna().all()


def test_a_panel_without_published_values(tmp_path):
    panel = {name: value for name, value in SHEET["panels"][0].items() if name != "published"}
    assert set(table_of(tmp_path, panels=[panel], published=None)["source"]) == {MEASURED}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"table": "Figure 3"}, r"sensitivity.published.table: found 'Figure 3'"),
        ({"metric": "HD"}, r"sensitivity.published.metric: found 'HD'"),
        ({"paper": "nobody"}, "nobody.csv"),
    ],
)
def test_published_numbers_that_are_not_there(tmp_path, change, words):
    with pytest.raises(InputError, match=words):
        table_of(tmp_path, published={**SHEET["published"], **change})


def test_names_of_published_methods_that_are_no_values(tmp_path):
    with pytest.raises(InputError, match=r"sensitivity.panels.published: found 'Theirs, s='"):
        table_of(tmp_path, panels=[{**SHEET["panels"][0], "published": "Theirs, s="}])
    with pytest.raises(InputError, match=r"method: found 'Ours, s=0.5', expected 'Ours, ', then a number"):
        table_of(tmp_path, panels=[{**SHEET["panels"][0], "published": "Ours, "}])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"track": "label_noise"}, "a track of the suite in sensitivity 'share'"),
        (
            {"panels": [{"label": "x", "points": [{"value": 1, "method": "half"}, {"value": 2, "method": "none"}]}]},
            "a method that the suite runs in sensitivity 'share', found 'none'",
        ),
        (
            {"panels": [{"label": "x", "points": [{"value": 1, "method": "half"}, {"value": 1, "method": "whole"}]}]},
            "values that differ",
        ),
        ({"published": None}, "`published` with paper, table and metric"),
        ({"panels": [{"label": "x", "points": [{"value": 1, "method": "half"}]}]}, "at least 2 items"),
    ],
)
def test_impossible_figures_stop_before_any_run(change, words):
    with pytest.raises(InputError, match=words):
        suite(**change)


@pytest.mark.parametrize("file", sorted((CONFIGS / "suites").glob("*.yaml")), ids=lambda file: file.stem)
def test_every_suite_finds_the_published_curves_it_names(file):
    class Real:
        own_protocols = ("strict",)
        suite = parse(Suite, yaml.safe_load(file.read_text()), file)

    columns = ["track", "task", "dataset", "method", "condition", "protocol", "class_name", "measure", "mean"]
    found = sensitivity_table(CONFIGS, Real(), pd.DataFrame(columns=columns))
    asked = sum(panel.published is not None for sheet in Real.suite.sensitivity for panel in sheet.panels)
    assert found.groupby(["sensitivity", "panel"]).ngroups == asked
