"""A figure over a value, from a made-up suite whose three methods stand for three values."""

import json
from dataclasses import replace

import pytest
from support.fake_plan import METHODS
from support.fake_results import make_suite, write_configs

from mmseg_ext.analysis.analyse import analyse
from mmseg_ext.reporting.figures import sensitivity
from mmseg_ext.reporting.inputs import read_inputs

CLAIMS = """\
claims_of: paper
paper: {title: A paper}
claims:
  - claim: none
    sentence: A claim about another track.
    source: nowhere
    test: {kind: better_than, track: zero_shot, task: a, method: b, condition: c, protocol: strict, measure: dsc,
           than: d, margin: 0.1}
"""
PUBLISHED = """\
table,dataset,method,metric,value,unit
Figure 1,Skin lesions of the paper,"Ours, s=0.5",Dice (axis unlabelled),0.91,fraction
Figure 1,Skin lesions of the paper,"Ours, s=1",Dice (axis unlabelled),0.93,fraction
Figure 1,Skin lesions of the paper,"Ours, s=2",Dice (axis unlabelled),0.89,fraction
"""


SHEET = {
    "sensitivity": "share",
    "title": "How much the share matters",
    "track": "supervised",
    "published": {"paper": "paper", "table": "Figure 1", "metric": "Dice (axis unlabelled)", "note": "Read off."},
}
POINTS = [{"value": value, "method": name} for value, name in zip([0.5, 1.0, 2.0], METHODS, strict=True)]
PANELS = [
    {"label": "share s", "published": "Ours, s=", "points": POINTS, "logarithmic": True},
    {"label": "weight w", "points": POINTS},
]


@pytest.fixture(scope="module")
def analysed(tmp_path_factory):
    """What the report reads, and a folder for figures."""
    root = tmp_path_factory.mktemp("suite")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        suite = make_suite(root, seeds=(0, 1), cases=3)
        plan = json.loads(suite.plan.read_text())
        plan["suite"]["sensitivity"] = [{**SHEET, "panels": PANELS}]
        suite.plan.write_text(json.dumps(plan))
        tables = suite.paths.tables(suite.suite)
        analyse(suite.plan, tables, write_configs(root, CLAIMS, PUBLISHED))
        return read_inputs(suite.plan, tables), root


def test_ours_and_published_values_stand_in_rows(analysed):
    (drawing,) = sensitivity.draw(*analysed, "supervised")
    text = drawing.svg.read_text()
    assert drawing.png.is_file()
    for words in ("share s", "weight w", "macro DSC", "Skin lesions of the", "Dice (axis unlabelled)", "no values"):
        assert words in text
    assert "Read off." in drawing.caption
    assert "No values published: weight w." in drawing.caption
    assert "all training labels; a quarter of the training patients" in drawing.caption


def test_no_figure_for_another_track_or_before_anything_was_measured(analysed):
    inputs, root = analysed
    assert sensitivity.draw(inputs, root, "pretraining") == []
    table = inputs.tables["sensitivity"]
    nothing = replace(inputs, tables={**inputs.tables, "sensitivity": table[table["source"] == "published"]})
    assert sensitivity.draw(nothing, root, "supervised") == []
