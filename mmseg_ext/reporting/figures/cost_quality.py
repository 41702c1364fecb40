"""What quality costs."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from matplotlib.ticker import MaxNLocator, NullFormatter

from mmseg_ext.analysis.measures import select
from mmseg_ext.reporting.figures.style import Drawing, canvas, markers, method_legend, palette, save, within
from mmseg_ext.reporting.inputs import Inputs

COSTS = {
    "flops": (1e-9, "GFLOP a forward pass"),
    "parameters_total": (1e-6, "million parameters"),
    "inference_images_per_s": (1.0, "images a second (inference)"),
}


def draw(inputs: Inputs, folder: Path, track: str) -> Drawing | None:
    """Draw what decides against cost under the track's first condition, one row per test set.

    None with fewer than two methods, because then there is nothing to weigh.
    """
    condition = inputs.conditions(track)[0]
    scores = inputs.deciding_scores(track=track, condition=condition)
    cost = select(inputs.tables["cost"], track=track, condition=condition)
    costs = {name: look for name, look in COSTS.items() if cost[name].notna().any()}
    cost = cost.groupby(["task", "method"])[list(costs)].mean().reset_index()
    table = scores.merge(cost, on=["task", "method"])
    if table["method"].nunique() < 2 or not costs:
        return None
    sets = list(dict.fromkeys(zip(table["task"], table["dataset"], strict=True)))
    colours, shapes = palette(inputs.methods), markers(inputs.methods)
    methods = [method for method in inputs.methods if method in set(table["method"])]
    with canvas(0.6 + 2.9 * len(costs), 0.6 + 2.1 * len(sets)) as figure:
        grid = figure.subplots(len(sets), len(costs), squeeze=False, sharey="row")
        for line, (task, dataset) in zip(grid, sets, strict=True):
            for axes, (name, (scale, label)) in zip(line, costs.items(), strict=True):
                _panel(axes, select(table, task=task, dataset=dataset), name, scale, colours, shapes)
                axes.set_xlabel(label if task == sets[-1][0] else "")
            line[0].set_ylim(within(line[0].get_ylim()))
            line[0].set(title=inputs.test_set_title(task, dataset), ylabel=inputs.deciding_title(task))
        method_legend(figure, methods, {name: inputs.method_title(track, name) for name in methods}, colours)
        return save(
            figure,
            folder,
            f"cost_{track}",
            title="What quality costs",
            caption=(
                f"Scores with 95 % interval against cost ({inputs.condition_title(track, condition)}, protocol"
                f" {inputs.protocol}). Speed holds for the hardware in the cost table only."
            ),
            track=track,
        )


def _panel(axes, table: pd.DataFrame, name: str, scale: float, colours: dict, shapes: dict) -> None:
    for row in table.itertuples():
        x, colour = scale * getattr(row, name), colours[row.method]
        axes.plot([x, x], [row.ci_low, row.ci_high], color=colour, linewidth=1.4, alpha=0.6)
        axes.plot([x], [row.mean], color=colour, marker=shapes[row.method], markersize=7, markeredgecolor="white")
    values = scale * table[name].dropna()
    if len(values) and values.min() > 0 and values.max() / values.min() > 20:
        axes.set_xscale("log")
        axes.xaxis.set_minor_formatter(NullFormatter())
    else:
        axes.set_xlim(left=0, right=1.15 * values.max() if len(values) else None)
        axes.xaxis.set_major_locator(MaxNLocator(5))
