"""A protocol whose checkpoints the test set chose is shown and flagged, and ranks nothing."""

from pathlib import Path

import pandas as pd
import pytest
from support.fake_results import make_suite

from mmseg_ext.analysis.analyse import analyse
from mmseg_ext.analysis.measures import select
from mmseg_ext.reporting.report import write_report
from mmseg_ext.suite.files import read_json, write_json

CONFIGS = Path(__file__).parents[2] / "configs"
PAPER = {
    "protocol": "paper_p", "title": "As released", "paper": "p", "selection": "best_test", "inference": "plain",
    "scoring": "hiperformer", "pooled": True,
}  # fmt: skip


@pytest.fixture
def suite(tmp_path, monkeypatch):
    """A finished suite, also scored under a paper's protocol, by which a class in no mask is perfect."""
    monkeypatch.chdir(tmp_path)
    suite = make_suite(tmp_path, seeds=(0, 1), cases=3)
    plan = read_json(suite.plan)
    plan["protocols"]["paper_p"] = PAPER
    plan["suite"]["protocols"] = ["paper_p", "strict"]
    write_json(suite.plan, plan)
    for file in [*suite.paths.results.glob("runs/**/cases.csv"), *suite.paths.results.glob("controls/*/cases.csv")]:
        strict = pd.read_csv(file)
        paper = strict.assign(protocol="paper_p", dsc=1.0, unit="px")
        pd.concat([strict, paper] if "runs" in file.parts else [strict]).to_csv(file, index=False)
    analyse(suite.plan, suite.paths.tables(suite.suite), CONFIGS)
    return suite


def tables(suite):
    return {path.stem: pd.read_csv(path) for path in suite.paths.tables(suite.suite).glob("*.csv")}


def test_it_is_scored_and_flagged_but_ranks_nothing(suite):
    found = tables(suite)
    assert set(found["scores"]["protocol"]) == {"paper_p", "strict"}
    for name in ("ranks", "comparisons", "controls"):
        assert set(found[name]["protocol"]) == {"strict"}, name
    assert select(found["flags"], kind="chosen_on_test")["subject"].tolist() == ["paper_p"]
    assert select(found["flags"], kind="not_ranked").empty


def test_the_page_says_so_and_is_about_our_protocol(suite):
    paths, name = suite.paths, suite.suite
    write_report(suite.plan, paths.tables(name), paths.figures(name), paths.page(name))
    page = paths.page(name).read_text()
    assert "checkpoint best on the test set, so the scores are too good" in page
    assert "Chosen on the test set" in page
    assert "DSC of all pixels together" in page
    assert "HD95 (px)" in page
    markdown = (paths.tables(name) / "scores.md").read_text()
    assert "pooled IoU" in markdown
