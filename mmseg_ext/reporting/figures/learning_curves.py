"""Training loss and validation DSC over iterations."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl

from mmseg_ext.analysis.measures import select
from mmseg_ext.reporting.figures.style import GREY, Drawing, canvas, markers, method_legend, palette, save
from mmseg_ext.reporting.inputs import Inputs

SERIES = {"loss": "training loss", "val_dsc": "validation macro DSC"}
MANY = 6
"""Methods beyond which single runs are not drawn."""
SPACING = 20
"""Points of a curve from one marker to the next."""
LINES = ("-", (0, (4, 2)), (0, (1, 1.5)), "-.")


def draw(inputs: Inputs, folder: Path, track: str, task: str) -> Drawing | None:
    """Draw one line per run, mean over seeds in bold; None without curves."""
    curves = select(inputs.results.curves, track=track, task=task)
    if curves.empty:
        return None
    methods = [method for method in inputs.methods if method in set(curves["method"])]
    conditions = [name for name in inputs.conditions(track) if name in set(curves["condition"])]
    styles = {condition: LINES[index % len(LINES)] for index, condition in enumerate(conditions)}
    colours, shapes = palette(inputs.methods), markers(inputs.methods)
    runs = "Thin lines are runs (one a seed), thick lines their mean." if len(methods) <= MANY else "Means over seeds."
    with canvas(9.2, 3.2 if len(methods) <= MANY else 4.0) as figure:
        for axes, (series, title) in zip(figure.subplots(1, 2), SERIES.items(), strict=True):
            for (method, condition), part in select(curves, series=series).groupby(["method", "condition"]):
                look = {"color": colours[method], "linestyle": styles[condition]}
                # With many methods the runs would only blur their means.
                for _, run in part.groupby("seed") if len(methods) <= MANY else ():
                    axes.plot(run["iteration"], run["value"], **look, linewidth=0.6, alpha=0.35)
                mean = part.groupby("iteration")["value"].mean()
                # Markers stand apart from method to method, so that they can be followed.
                every = (7 * methods.index(method) % SPACING, SPACING) if len(mean) > SPACING else 1
                marker = {"marker": shapes[method], "markersize": 4, "markevery": every, "markeredgecolor": "white"}
                axes.plot(mean.index, mean, **look, **marker, linewidth=1.3, markeredgewidth=0.5)
            axes.set(title=title, xlabel="iteration")
            if series == "val_dsc":
                axes.set_ylim(-0.02, 1.02)
        if len(conditions) > 1:
            handles = [
                mpl.lines.Line2D([], [], color=GREY, linestyle=styles[name], label=inputs.condition_title(track, name))
                for name in conditions
            ]
            figure.axes[1].legend(handles=handles, loc="lower right")
        method_legend(figure, methods, {name: inputs.method_title(track, name) for name in methods}, colours)
        return save(
            figure,
            folder,
            f"curves_{track}_{task}",
            title="How training went",
            caption=f"{runs} The test set is not looked at here.",
            track=track,
            task=task,
        )
