import json
import os
import re
from html.parser import HTMLParser
from types import SimpleNamespace

import pytest
from support.analysed import make_analysed
from support.fake_plan import CLASSES, FAILED

from mmseg_ext.analysis.analyse import analyse
from mmseg_ext.data.checks.quality import Finding, TaskQuality
from mmseg_ext.reporting.dataset_pages import _of_tasks
from mmseg_ext.reporting.inputs import read_inputs
from mmseg_ext.reporting.page import render
from mmseg_ext.reporting.report import write_report


def write(suite):
    paths, name = suite.paths, suite.suite
    write_report(suite.plan, paths.tables(name), paths.figures(name), paths.page(name))
    return paths.page(name)


def text_of(suite):
    """The page without its figures."""
    return render(read_inputs(suite.plan, suite.paths.tables(suite.suite)), [], suite.paths.page(suite.suite))


@pytest.fixture(scope="module")
def suite(tmp_path_factory):
    root = tmp_path_factory.mktemp("suite")
    before = os.getcwd()
    os.chdir(root)
    yield make_analysed(root, cases=4, seeds=(0, 1))
    os.chdir(before)


@pytest.fixture(scope="module")
def page(suite):
    return write(suite)


@pytest.fixture
def single(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return make_analysed(tmp_path, cases=2, seeds=(0,))


class Links(HTMLParser):
    """Addresses a page links to, and those it loads."""

    def __init__(self, text):
        super().__init__()
        self.linked, self.loaded, self.ids = [], [], set()
        self.stack = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        self.ids.add(values.get("id"))
        if tag == "a":
            self.linked.append(values["href"])
        self.loaded += [values[key] for key in ("src", "srcset", "data", "poster") if key in values]
        self.loaded += [values["href"]] if tag == "link" else []
        if tag not in ("meta", "link", "img", "br"):
            self.stack.append(tag)

    def handle_endtag(self, tag):
        assert self.stack.pop() == tag


def test_nothing_is_loaded_from_elsewhere(page):
    text = page.read_text()
    links = Links(text)
    assert links.stack == []
    assert all(address.startswith("data:") for address in links.loaded)
    assert not re.search(r"@import|url\(|<script", text)


def test_every_link_resolves(page):
    links = Links(page.read_text())
    inside = {link.removeprefix("#") for link in links.linked if link.startswith("#")}
    assert inside <= links.ids
    files = {link for link in links.linked if not link.startswith(("#", "http"))}
    missing = {link for link in files if not (page.parent / link).exists()}
    assert not missing
    assert any(link.endswith("run.json") for link in files)


def test_every_score_is_linked(page):
    text = page.read_text()
    # Paired comparisons and controls come from several methods or none.
    tables = re.findall(r"<h2 id=\"glance\".*?</table>", text, re.S)
    tables += [part for part in re.findall(r"<table>.*?</table>", text, re.S) if 'class="seeds"' in part]
    assert len(tables) == 1 + len(CLASSES) + 3
    for table in tables:
        cells = re.findall(r'<td class="n(?: best)?">(.*?)</td>', table, re.S)
        scores = [cell for cell in cells if re.search(r"\d\.\d", cell)]
        assert scores
        assert all(re.match(r'\s*<a href="\.\./runs/', cell) for cell in scores)


def test_a_failed_run_is_shown_with_its_reason(page):
    text = page.read_text()
    assert str(FAILED) in text
    assert "loss is NaN (learning rate 0.1)" in text
    assert "seed 0 failed" in text
    assert "23 of 24 runs finished; 1 failed." in text


def test_warnings_and_claims_are_on_the_page(page, single):
    assert "Few cases" in page.read_text()
    assert "hiperformer is not in this suite" in page.read_text()
    alone = text_of(single)
    assert "One seed" in alone
    assert "bootstrap over patients only" in alone


def test_a_method_without_any_run_gets_a_reason_instead_of_numbers(single):
    text = text_of(single)
    failed = re.findall(r'<tr class="failed">.*?</tr>', text, re.S)
    assert len(failed) == 1
    assert "TransUNet (tiny)" in failed[0]
    assert "failed: train at iteration 37: loss is NaN" in failed[0]


def test_same_inputs_same_bytes(suite, page):
    first = page.read_bytes()
    figures = {path.name: path.read_bytes() for path in suite.paths.figures(suite.suite).iterdir()}
    write(suite)
    assert page.read_bytes() == first
    assert {path.name: path.read_bytes() for path in suite.paths.figures(suite.suite).iterdir()} == figures


def test_nothing_finished_is_still_a_page(single):
    for run in single.runs:
        (single.paths.run(run) / "run.json").unlink(missing_ok=True)
    analyse(single.plan, single.paths.tables(single.suite), single.root)
    text = write(single).read_text()
    assert "0 of 12 runs finished; 1 failed and 11 did not run." in text
    assert "No run has finished" in text
    figures = re.findall(r'<img [^>]*alt="([^"]*)"', text)
    assert sorted(set(figures)) == ["Class balance", "Contact sheet"]


def test_data_are_shown_with_counts_findings_and_figures(page, suite):
    text = page.read_text()
    for task in CLASSES:
        part = text.split(f'<h3 id="data-{task}">')[1]
        assert part.index("Contact sheet") < part.index("Class balance")
        assert (suite.paths.figures(suite.suite) / f"contact_sheet_{task}.png").is_file()
    assert "unknown; distances are in pixels" in text
    assert "5 × 1 × 1 mm (z × y × x)" in text
    assert "redistribution unknown" in text


def test_data_that_were_not_checked_are_left_out(single):
    (single.paths.checks("phantom_lesion") / "quality.json").unlink()
    text = text_of(single)
    assert 'id="data-phantom_abdomen"' in text
    assert 'id="data-phantom_lesion"' not in text


def test_findings_and_stale_checks_are_shown(single):
    path = single.paths.checks("phantom_lesion") / "quality.json"
    quality = json.loads(path.read_text())
    finding = {"kind": "empty_masks", "text": "2 of 2 cases <b>without</b> any foreground", "cases": []}
    path.write_text(json.dumps({**quality, "findings": [finding], "content_sha256": "other"}))
    text = text_of(single)
    assert "Empty masks" in text
    assert "&lt;b&gt;without" in text
    assert "have changed since they were checked" in text


def test_look_alikes_between_data_sets_stand_with_each_of_them():
    finding = Finding(kind="near_duplicates", text="1 pair", cases=["one/a", "two/b"])
    quality = TaskQuality(task="both", content_sha256={}, findings=[finding])
    inputs = SimpleNamespace(task_quality={"both": quality})
    assert [one.text for one in _of_tasks(inputs, "one")] == ["Task both: 1 pair"]
    assert len(_of_tasks(inputs, "two")) == 1
    assert _of_tasks(inputs, "tw") == []


def test_names_are_escaped(single):
    plan = single.plan.read_text().replace('"Fake suite"', '"Fake <script>alert(1)</script> suite"')
    single.plan.write_text(plan)
    assert "<script>" not in text_of(single)
