"""Tables for papers, figures and the page of an analysed suite."""

from __future__ import annotations

from pathlib import Path

from mmseg_ext.reporting.figures.all_figures import draw_all
from mmseg_ext.reporting.inputs import read_inputs
from mmseg_ext.reporting.markup import latex, markdown
from mmseg_ext.reporting.page import render
from mmseg_ext.reporting.tables import result_tables
from mmseg_ext.suite.files import write_text


def write_report(plan: Path, tables: Path, figures: Path, out: Path) -> None:
    """Write `scores.md` and `scores.tex` beside the tables, the figures, and the page.

    Args:
        plan: The suite's plan.
        tables: Folder with the tables of the analysis.
        figures: Folder for PNG and SVG files.
        out: The HTML page; links in it are relative to its folder.

    Raises:
        InputError: If a table is missing.
    """
    inputs = read_inputs(plan, tables)
    printed = [
        (table, track)
        for track, task, dataset in inputs.test_sets()
        for protocol in inputs.plan.protocols
        for table in result_tables(inputs, track, task, dataset, protocol)
    ]
    title = inputs.plan.suite.title
    write_text(
        tables / "scores.md", "\n".join([f"# {title}", "", *(markdown(one, inputs, track) for one, track in printed)])
    )
    write_text(tables / "scores.tex", "\n".join(latex(one, inputs, track) for one, track in printed))
    write_text(out, render(inputs, draw_all(inputs, figures), out))
