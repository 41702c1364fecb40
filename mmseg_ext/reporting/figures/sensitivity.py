"""Scores over a value that methods differ in, above what a paper printed."""

from __future__ import annotations

from pathlib import Path
from textwrap import fill

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, NullLocator, StrMethodFormatter

from mmseg_ext.analysis.measures import select
from mmseg_ext.analysis.sensitivity import MEASURED, PUBLISHED
from mmseg_ext.reporting.figures.style import GREY, Drawing, canvas, markers, method_legend, palette, save
from mmseg_ext.reporting.inputs import Inputs
from mmseg_ext.suite.sensitivity import Panel, Sensitivity


def draw(inputs: Inputs, folder: Path, track: str) -> list[Drawing]:
    """Draw the figures of a track that the suite asks for; none of which nothing has been measured."""
    drawn = [_sheet(inputs, folder, sheet) for sheet in inputs.plan.suite.sensitivity if sheet.track == track]
    return [one for one in drawn if one is not None]


def _sheet(inputs: Inputs, folder: Path, sheet: Sensitivity) -> Drawing | None:
    table = select(inputs.tables["sensitivity"].fillna({"task": "", "condition": ""}), sensitivity=sheet.sensitivity)
    sets = table[["source", "task", "dataset"]].drop_duplicates()
    rows = [tuple(one) for one in sets.sort_values("source").itertuples(index=False)]
    if not any(source == MEASURED for source, _, _ in rows):
        return None
    conditions = [name for name in inputs.conditions(sheet.track) if name in set(table["condition"])]
    looks = {name: (palette(conditions)[name], markers(conditions)[name]) for name in conditions}
    with canvas(0.6 + 2.15 * len(sheet.panels), 0.8 + 1.75 * len(rows)) as figure:
        grid = figure.subplots(len(rows), len(sheet.panels), squeeze=False, sharey="row", sharex="col")
        for line, (source, task, dataset) in zip(grid, rows, strict=True):
            part = select(table, source=source, task=task, dataset=dataset)
            for axes, panel in zip(line, sheet.panels, strict=True):
                _panel(axes, select(part, panel=panel.label), looks)
            line[0].set_ylabel(_row_title(inputs, sheet, source, task, dataset))
        for axes, panel in zip(grid[-1], sheet.panels, strict=True):
            axes.set_xlabel(panel.label)
            _scale(axes, panel, select(table, panel=panel.label))
        if len(conditions) > 1:
            titles = {name: inputs.condition_title(sheet.track, name) for name in conditions}
            method_legend(figure, conditions, titles, {name: looks[name][0] for name in conditions})
        return save(
            figure,
            folder,
            f"sensitivity_{sheet.sensitivity}",
            title=sheet.title,
            caption=_caption(inputs, sheet, conditions),
            track=sheet.track,
        )


def _panel(axes: Axes, table: pd.DataFrame, looks: dict[str, tuple[str, str]]) -> None:
    for condition, part in table.sort_values("value").groupby("condition", sort=False):
        colour, marker = looks.get(str(condition), (GREY, "o"))
        look = {"color": colour, "marker": marker, "markersize": 4.5, "linewidth": 1.3, "markeredgecolor": "white"}
        axes.plot(part["value"], part["mean"], **look)
        # A published point has no interval.
        for row in part.dropna(subset=["ci_low", "ci_high"]).itertuples():
            axes.plot([row.value, row.value], [row.ci_low, row.ci_high], color=colour, linewidth=1.1, alpha=0.6)
    if table.empty:
        axes.text(0.5, 0.5, "no values", color=GREY, ha="center", va="center", transform=axes.transAxes)


def _scale(axes: Axes, panel: Panel, table: pd.DataFrame) -> None:
    place = np.log if panel.logarithmic else float
    if panel.logarithmic:
        axes.set_xscale("log")
        axes.xaxis.set_minor_locator(NullLocator())
    # Numbers closer to each other than a seventh of the axis would touch.
    apart = (place(table["value"].max()) - place(table["value"].min())) / 7
    ticks: list[float] = []
    for value in sorted(point.value for point in panel.points):
        if not ticks or place(value) - place(ticks[-1]) > apart:
            ticks.append(value)
    axes.xaxis.set_major_locator(FixedLocator(ticks))
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))


def _row_title(inputs: Inputs, sheet: Sensitivity, source: str, task: str, dataset: str) -> str:
    if source == PUBLISHED:
        assert sheet.published is not None
        return f"{fill(dataset, 24)}\n{fill(sheet.published.metric, 24)}"
    return f"{fill(inputs.test_set_title(task, dataset), 24)}\nmacro {sheet.measure.upper()}"


def _caption(inputs: Inputs, sheet: Sensitivity, conditions: list[str]) -> str:
    shown = "; ".join(inputs.condition_title(sheet.track, name) for name in conditions)
    words = [f"Coloured: ours, with 95 % intervals, protocol {inputs.protocol} ({shown})."]
    if sheet.published is not None:
        words += ["Grey: as published.", sheet.published.note]
    missing = [panel.label for panel in sheet.panels if panel.published is None]
    if missing:
        words.append(f"No values published: {', '.join(missing)}.")
    return " ".join(word.strip() for word in words if word)
