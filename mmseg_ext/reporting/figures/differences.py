"""Which method is better than which, by how much, and whether that is clear."""

from __future__ import annotations

from pathlib import Path
from textwrap import fill

import numpy as np
import pandas as pd
import seaborn as sns

from mmseg_ext.analysis.measures import select
from mmseg_ext.reporting.figures.style import Drawing, canvas, save
from mmseg_ext.reporting.formatting import range_text
from mmseg_ext.reporting.inputs import Inputs

FEWEST = 3
"""Methods from which on a matrix says more than a table of pairs."""
FADED = "#9aa3ad"
CELL = 0.75
"""Height of a cell by its width."""


def draw(inputs: Inputs, folder: Path, track: str, task: str, dataset: str) -> Drawing | None:
    """Draw one matrix of paired differences per condition with FEWEST methods or more; None if there is none."""
    pairs = select(
        inputs.tables["comparisons"],
        kind="methods", track=track, task=task, dataset=dataset, protocol=inputs.protocol,
        measure=inputs.task(task).deciding,
    )  # fmt: skip
    panels = {}
    for condition in inputs.conditions(track):
        part = select(pairs, held=condition)
        methods = [method for method in inputs.methods if method in {*part["a"], *part["b"]}]
        if len(methods) >= FEWEST:
            panels[condition] = matrices(part, methods)
    if not panels:
        return None
    sides = [0.47 * len(points) for points, _ in panels.values()]
    with canvas(1.9 + sum(1.4 + side for side in sides), 1.9 + CELL * max(sides)) as figure:
        grid = figure.subplots(1, len(panels), squeeze=False, width_ratios=sides)
        for axes, (condition, (points, clear)) in zip(grid.flat, panels.items(), strict=True):
            names = [fill(inputs.method_title(track, method), 30) for method in points.index]
            bound = max(1.0, float(np.nanmax(np.abs(points.to_numpy(dtype=float)))))
            sns.heatmap(
                points.where(clear), cmap="vlag_r", center=0, vmin=-bound, vmax=bound, cbar=False, linewidths=1.2,
                linecolor="white", xticklabels=names, yticklabels=names, ax=axes,
            )  # fmt: skip
            # A condition with fewer methods than another has cells of the same size.
            axes.set_box_aspect(CELL)
            axes.set_anchor("N")
            for (row, column), value in np.ndenumerate(points.to_numpy(dtype=float)):
                if np.isnan(value):
                    continue
                sure = bool(clear.iloc[row, column])
                dark = sure and abs(value) > 0.6 * bound
                colour = "white" if dark else "#22272c" if sure else FADED
                text = f"{value:+.1f}"
                axes.text(column + 0.5, row + 0.5, text, ha="center", va="center", fontsize=7.5, color=colour)
            axes.set(title=fill(inputs.condition_title(track, condition), 30), xlabel="", ylabel="")
            axes.set_xticklabels(names, rotation=45, ha="right", rotation_mode="anchor")
            axes.set_yticklabels(names, rotation=0)
            axes.tick_params(length=0)
            axes.grid(False)
        return save(
            figure,
            folder,
            f"differences_{track}_{task}_{dataset}",
            title="Who is better than whom",
            caption=(
                f"The row's {inputs.deciding_title(task)} minus the column's, in hundredths, paired by patient; best"
                " mean on top. Coloured: separable (Holm-corrected permutation test and interval); pale: not."
                f" Protocol {inputs.protocol}, n = {range_text(list(pairs['n_patients']))} patients,"
                f" seeds: {range_text(list(pairs['n_seeds']))}."
            ),
            track=track,
            task=task,
        )


def matrices(pairs: pd.DataFrame, methods: list[str]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the difference of each row's method minus each column's in hundredths, and whether it is separable.

    The method with the greatest mean difference to the others comes first.

    Args:
        pairs: Rows of the comparisons, one a pair of methods.
        methods: Every method of the pairs; the diagonal is NaN and not separable.
    """
    points = pd.DataFrame(np.nan, index=methods, columns=methods)
    clear = pd.DataFrame(False, index=methods, columns=methods)
    for pair in pairs.itertuples():
        points.loc[pair.a, pair.b] = 100 * pair.difference
        points.loc[pair.b, pair.a] = -100 * pair.difference
        clear.loc[pair.a, pair.b] = clear.loc[pair.b, pair.a] = bool(pair.separable)
    order = points.mean(axis=1).sort_values(ascending=False, kind="stable").index
    return points.loc[order, order], clear.loc[order, order]
