"""Distribution of case DSC by class and method."""

from __future__ import annotations

from pathlib import Path
from textwrap import fill

import seaborn as sns

from mmseg_ext.analysis.measures import select
from mmseg_ext.reporting.figures.style import Drawing, canvas, method_legend, palette, repeatable, save
from mmseg_ext.reporting.formatting import plain, range_text
from mmseg_ext.reporting.inputs import Inputs

WIDEST = 11.0
MARGIN = 1.2
"""Inches, as are all lengths here: of the figure, and of what is not boxes in a panel."""


def draw(inputs: Inputs, folder: Path, track: str, task: str, dataset: str) -> Drawing | None:
    """Draw box and points per class and method, one panel per condition; None without data."""
    cases = select(inputs.results.cases, track=track, task=task, dataset=dataset, protocol=inputs.protocol)
    keys = ["method", "condition", "case", "class_id", "class_name"]
    cases = cases.groupby(keys, sort=True)["dsc"].mean().dropna().reset_index()
    if cases.empty:
        return None
    methods = [method for method in inputs.methods if method in set(cases["method"])]
    conditions = [name for name in inputs.conditions(track) if name in set(cases["condition"])]
    classes = list(dict.fromkeys(cases.sort_values("class_id")["class_name"]))
    labels = {name: fill(plain(name), 11, break_long_words=False) for name in classes}
    longest = max(len(line) for label in labels.values() for line in label.splitlines())
    slot = max(0.27 * len(methods), 0.08 * longest + 0.08)
    a_row = max(1, int((WIDEST - MARGIN) // slot))
    chunks = [classes[start : start + a_row] for start in range(0, len(classes), a_row)]
    panels = [(condition, chunk) for condition in conditions for chunk in chunks]
    panel = max(3.2, MARGIN + slot * len(chunks[0]))
    side_by_side = len(panels) if len(chunks) == 1 and panel * len(panels) <= WIDEST else 1
    width = min(WIDEST, panel * side_by_side)
    colours = palette(inputs.methods)
    with canvas(width, 2.7 * len(panels) / side_by_side + 0.7) as figure:
        grid = figure.subplots(len(panels) // side_by_side, side_by_side, squeeze=False, sharey=True)
        for axes, (condition, chunk) in zip(grid.flat, panels, strict=True):
            shown = cases[(cases["condition"] == condition) & cases["class_name"].isin(chunk)]
            layout = {
                "data": shown, "x": "class_name", "y": "dsc", "hue": "method", "order": chunk,
                "hue_order": methods, "palette": colours, "legend": False, "ax": axes,
            }  # fmt: skip
            sns.boxplot(
                **layout,
                width=min(0.8, 0.27 * len(methods)),
                gap=0.15,
                showfliers=False,
                linewidth=0.9,
                boxprops={"alpha": 0.35},
            )
            with repeatable():
                sns.stripplot(**layout, dodge=True, size=2.6, alpha=0.75, jitter=0.14, linewidth=0)
            title = fill(inputs.condition_title(track, condition), int(9 * panel))
            axes.set(title=title, xlabel="", ylabel="DSC of a case")
            axes.set_xticks(range(len(chunk)), [labels[name] for name in chunk])
            axes.set_ylim(-0.02, 1.02)
            axes.grid(False, axis="x")
        titles = {method: inputs.method_title(track, method) for method in methods}
        method_legend(figure, methods, titles, colours)
        counts = list(cases.groupby(["method", "condition", "class_name"]).size())
        return save(
            figure,
            folder,
            f"distribution_{track}_{task}_{dataset}",
            title="How cases differ",
            caption=(
                "DSC of each case by class; a point is a case (mean over seeds), a box spans the quartiles with the"
                f" median inside. Protocol {inputs.protocol}, n = {range_text(counts)} cases a box."
            ),
            track=track,
            task=task,
        )
