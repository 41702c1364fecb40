"""The summary a finished suite prints."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from mmseg_ext.analysis.collect import DONE
from mmseg_ext.reporting.formatting import interval_text, value_text
from mmseg_ext.reporting.inputs import read_inputs
from mmseg_ext.reporting.summary import headline, leaders
from mmseg_ext.reporting.tables import ResultTable, Row, Score, result_tables

SHOWN = ("iou_harmonic", "iou_unseen", "iou_seen", "dsc", "nsd", "hd95")
"""Measures that are printed where a table has them."""


def print_summary(plan: Path, tables: Path, console: Console | None = None) -> None:
    """Print the macro scores of every test set, what the suite shows, and what to be careful about.

    Args:
        plan: The suite's plan.
        tables: Folder with the tables of the analysis.
        console: Where to print; standard output by default.

    Raises:
        InputError: If a table is missing.
    """
    console = console or Console()
    inputs = read_inputs(plan, tables)
    found = []
    for track, task, dataset in inputs.test_sets():
        table = result_tables(inputs, track, task, dataset, inputs.protocol)[0]
        found += leaders(inputs, track, task, dataset, table)
        conditions = {name: inputs.condition_title(track, name) for name in inputs.conditions(track)}
        console.print(_table(table, conditions))
    for sentence in headline(inputs, found):
        console.print(Text(sentence, style="bold"))
    for row in inputs.results.status[inputs.results.status["status"] != DONE].itertuples():
        console.print(Text(f"{row.run}: {row.status}: {row.reason}", style="red"))
    flags = inputs.tables["flags"]
    for row in flags.itertuples():
        console.print(Text(f"! {row.subject}: {row.text}", style="yellow"))


def _table(table: ResultTable, conditions: dict[str, str]) -> Table:
    """Return the measures SHOWN; a line across separates conditions."""
    shown = [index for index, measure in enumerate(table.measures) if measure in SHOWN]
    printed = Table(title=table.title, title_justify="left", title_style="bold", header_style="bold")
    printed.add_column("method")
    for index in shown:
        printed.add_column(table.columns[index], justify="right", no_wrap=True)
    for condition, title in conditions.items():
        if len(conditions) > 1:
            printed.add_section()
            printed.add_row(Text(title, style="italic"))
        for row in table.rows:
            if row.condition == condition:
                printed.add_row(row.title, *_cells(row, shown))
    return printed


def _cells(row: Row, shown: list[int]) -> list[Text]:
    if not row.scores:
        return [Text("no result", style="red")]
    # Of the first only: more intervals do not fit a terminal.
    return [_cell(row.scores[index], with_interval=index == shown[0]) for index in shown]


def _cell(score: Score, with_interval: bool) -> Text:
    text = Text(value_text(score.measure, score.mean), style="bold" if score.best else "")
    interval = f" {interval_text(score.measure, score.low, score.high)}" if with_interval else ""
    return text.append(interval, style="dim not bold")
