"""The page: one HTML file that holds everything, opens offline, and links every number to its runs."""

from __future__ import annotations

import base64
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from mmseg_ext.analysis.claims import MIN_PATIENTS, MIN_SEEDS
from mmseg_ext.analysis.collect import DONE
from mmseg_ext.analysis.comparisons import ALPHA, PERMUTATIONS
from mmseg_ext.reporting import details
from mmseg_ext.reporting.dataset_pages import dataset_pages
from mmseg_ext.reporting.figures.style import PNG_DPI, Drawing
from mmseg_ext.reporting.formatting import (
    MEASURE_TITLES,
    count_text,
    interval_text,
    measure_title,
    plain,
    value_text,
)
from mmseg_ext.reporting.inputs import Inputs
from mmseg_ext.reporting.summary import headline, leaders
from mmseg_ext.reporting.tables import INFERENCE_WORDS, SELECTION_WORDS, ResultTable, result_tables

LAYOUT_DPI = 100
FLAG_TITLES = {
    "same_predictions": "Setting without effect?",
    "chosen_on_test": "Chosen on the test set",
    "few_cases": "Few cases",
    "one_seed": "One seed",
    "few_seeds": "Few seeds",
    "missing_seeds": "Missing seeds",
    "not_ranked": "Not ranked",
    "no_controls": "No controls",
    "no_cost": "No cost",
}

KINDS = ("trade_off", "distribution", "ranks", "differences", "examples", "unseen", "regions")
"""Figures of a test set, by the beginning of their names."""


def render(inputs: Inputs, drawings: list[Drawing], out: Path) -> str:
    """Return the page's HTML.

    Args:
        inputs: The suite.
        drawings: Its figures; they are embedded.
        out: Where the page will lie; links are relative to it.
    """
    environment = Environment(
        loader=PackageLoader("mmseg_ext.reporting"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(
        link=_linker(out),
        image=_image,
        value=value_text,
        interval=interval_text,
        measure=MEASURE_TITLES,
        plain=plain,
        count=count_text,
        selection_words=SELECTION_WORDS,
        inference_words=INFERENCE_WORDS,
    )
    css, _, _ = environment.loader.get_source(environment, "page.css")  # type: ignore[union-attr]
    return environment.get_template("page.html.j2").render(css=Markup(css), **_content(inputs, drawings))


def _linker(out: Path) -> Callable[[Path], str]:
    def link(path: Path) -> str:
        return Path(os.path.relpath(path, out.parent)).as_posix()

    return link


def _image(drawing: Drawing) -> dict[str, Any]:
    """Return a PNG as a data address and the width it is laid out for."""
    content = drawing.png.read_bytes()
    width = int.from_bytes(content[16:20], "big")  # the first field of a PNG's header chunk
    return {
        "source": f"data:image/png;base64,{base64.b64encode(content).decode()}",
        "width": width * LAYOUT_DPI // PNG_DPI,
    }


def _content(inputs: Inputs, drawings: list[Drawing]) -> dict[str, Any]:
    sections = [_section(inputs, track, drawings) for track in inputs.plan.tracks]
    found = [leader for section in sections for test_set in section["test_sets"] for leader in test_set["leaders"]]
    folders = {cell.run: cell.folder for cell in inputs.plan.runs}
    failures = inputs.results.status[inputs.results.status["status"] != DONE]
    return {
        "suite": inputs.plan.suite,
        "headline": headline(inputs, found),
        "leaders": found,
        "facts": _facts(inputs),
        "claims": [_claim(row) for row in inputs.tables["claims"].itertuples()],
        "failures": [{"run": row.run, "status": row.status, "reason": row.reason} for row in failures.itertuples()],
        "flags": [
            {"title": FLAG_TITLES[row.kind], "subject": row.subject, "text": row.text}
            for row in inputs.tables["flags"].itertuples()
        ],
        "sections": sections,
        "cost": details.cost_rows(inputs),
        "hardware": details.hardware(inputs),
        "data": details.data_rows(inputs),
        "datasets": dataset_pages(inputs, drawings),
        "controls": details.control_rows(inputs),
        "versions": details.versions(inputs),
        "methods": inputs.plan.methods,
        "protocols": inputs.plan.protocols,
        "tasks": inputs.plan.tasks,
        "folders": folders,
        "numbers": {
            "resamples": inputs.plan.suite.bootstrap_samples,
            "permutations": PERMUTATIONS,
            "alpha": ALPHA,
            "min_seeds": MIN_SEEDS,
            "min_patients": MIN_PATIENTS,
        },
    }


def _facts(inputs: Inputs) -> list[tuple[str, str]]:
    cases = inputs.results.cases[["task", "dataset", "case"]].drop_duplicates()
    return [
        (f"{inputs.done} / {len(inputs.plan.runs)}", "runs finished"),
        (str(len(inputs.plan.tasks)), "tasks" if len(inputs.plan.tasks) > 1 else "task"),
        (str(len(inputs.methods)), "methods" if len(inputs.methods) > 1 else "method"),
        (str(len(inputs.plan.suite.seeds)), "seeds" if len(inputs.plan.suite.seeds) > 1 else "seed"),
        (str(len(cases)), "test cases"),
    ]


def _section(inputs: Inputs, track: str, drawings: list[Drawing]) -> dict[str, Any]:
    own = [drawing for drawing in drawings if drawing.track == track]
    test_sets = []
    for of_track, task, dataset in inputs.test_sets():
        if of_track != track:
            continue
        names = [f"{kind}_{track}_{task}_{dataset}" for kind in KINDS]
        names.append(f"curves_{track}_{task}")
        tables = {name: result_tables(inputs, track, task, dataset, name) for name in inputs.plan.protocols}
        test_sets.append(
            {
                "title": inputs.test_set_title(task, dataset),
                "anchor": f"{track}-{task}-{dataset}",
                "leaders": leaders(inputs, track, task, dataset, tables[inputs.protocol][0]),
                "protocols": [_protocol(inputs, track, task, dataset, name, tables[name]) for name in tables],
                "drawings": [drawing for drawing in own if drawing.name in names],
            }
        )
    return {
        "track": inputs.plan.tracks[track],
        "drawings": [drawing for drawing in own if not drawing.task],
        "test_sets": test_sets,
    }


def _protocol(
    inputs: Inputs, track: str, task: str, dataset: str, protocol: str, tables: list[ResultTable]
) -> dict[str, Any]:
    return {
        "name": protocol,
        "tables": tables,
        "comparisons": details.comparison_rows(inputs, track, task, dataset, protocol),
        "conditions": {name: inputs.condition_title(track, name) for name in inputs.conditions(track)},
    }


def _claim(row: Any) -> dict[str, Any]:
    tested = isinstance(row.quantity, str)
    measure = row.quantity.split(" of ")[0] if tested else ""
    evidence = (
        f"{measure_title(measure, '').removesuffix(' ()')}{row.quantity.removeprefix(measure)}:"
        f" {value_text(measure, row.value)} {interval_text(measure, row.ci_low, row.ci_high)},"
        f" threshold {value_text(measure, row.threshold)}; n = {row.n_cases:.0f} cases, {row.n_seeds:.0f} seeds"
        if tested
        else ""
    )
    return {
        "sentence": row.sentence,
        "source": f"{row.paper}, {row.source}",
        "verdict": row.verdict,
        "reason": row.reason,
        "evidence": evidence,
    }
