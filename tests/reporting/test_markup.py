from pathlib import Path

import pytest
from support.analysed import make_analysed

from mmseg_ext.reporting.inputs import read_inputs
from mmseg_ext.reporting.markup import latex, latex_escape, markdown
from mmseg_ext.reporting.tables import ResultTable, Row, Score, SeedRun, result_tables

RUN = SeedRun(0, "done", "", Path("runs/a"))
BROKEN = SeedRun(0, "failed", "train: 100 % of x_y", Path("runs/b"))


class Titles:
    @staticmethod
    def condition_title(track, condition):
        return condition


def table():
    scores = [Score("dsc", 0.91234, 0.9, 0.92, best=True), Score("hd95", 3.0, float("nan"), float("nan"))]
    rows = [
        Row("unet_tiny", "U_Net & co", "labels_25", scores, "a", [RUN]),
        Row("b", "Broken", "labels_25", [], "", [BROKEN]),
    ]
    return ResultTable("t", "Left_kidney", "n = 5.", ["DSC", "HD95 (mm)"], ["dsc", "hd95"], rows, True)


def test_markdown():
    lines = markdown(table(), Titles, "supervised").splitlines()
    assert lines[2] == "| Method | Condition | DSC | HD95 (mm) | Group |"
    assert lines[4] == "| U_Net & co | labels_25 | **0.912** [0.900, 0.920] | 3.00 no interval | a |"
    assert lines[5] == "| Broken | labels_25 | failed: train: 100 % of x_y |  |  |"
    assert len({line.count("|") for line in lines[2:6]}) == 1


def test_latex():
    text = latex(table(), Titles, "supervised")
    assert r"U\_Net \& co & labels\_25 & \textbf{0.912} {\scriptsize [0.900, 0.920]}" in text
    assert r"\multicolumn{3}{l}{\emph{failed: train: 100 \% of x\_y}}" in text
    assert r"\caption{Left\_kidney. n = 5.}" in text
    assert text.count(r"\toprule") == text.count(r"\bottomrule") == 1


@pytest.mark.parametrize(
    ("text", "escaped"),
    [("a_b", r"a\_b"), ("50 %", r"50 \%"), ("{x}^2", r"\{x\}\textasciicircum{}2"), ("\\", r"\textbackslash{}")],
)
def test_latex_escape(text, escaped):
    assert latex_escape(text) == escaped


@pytest.fixture
def inputs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    suite = make_analysed(tmp_path, cases=12)
    return read_inputs(suite.plan, suite.paths.tables(suite.suite))


def test_best_is_marked_only_where_separable(inputs):
    (macro,) = result_tables(inputs, "supervised", "phantom_lesion", "phantom_lesion", "strict")
    tests = inputs.tables["comparisons"].query("kind == 'methods' and task == 'phantom_lesion' and measure == 'dsc'")
    for condition in ("full", "labels_25"):
        rows = [row for row in macro.rows if row.condition == condition]
        best = max(rows, key=lambda row: row.scores[0].mean)
        own = tests[(tests["held"] == condition) & ((tests["a"] == best.method) | (tests["b"] == best.method))]
        assert best.scores[0].best == own["separable"].all()
        assert not any(row.scores[0].best for row in rows if row is not best)


def test_captions_say_n_protocol_and_interval(inputs):
    for table in result_tables(inputs, "supervised", "phantom_abdomen", "phantom_abdomen", "strict"):
        for part in (
            "Protocol strict",
            "n = 12 cases of 12 patients",
            "seeds: 3",
            "95 % interval",
            "Fewer than 50 cases and 5 seeds",
        ):
            assert part in table.caption
        assert "±" not in markdown(table, inputs, "supervised")
