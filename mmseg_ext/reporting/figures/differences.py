"""Which method is better than which, by how much, and whether that is clear."""

from __future__ import annotations

from pathlib import Path
from textwrap import fill

import numpy as np
import pandas as pd
import seaborn as sns

from mmseg_ext.analysis.measures import MACRO, select
from mmseg_ext.reporting.figures.style import Drawing, canvas, save
from mmseg_ext.reporting.formatting import range_text
from mmseg_ext.reporting.inputs import Inputs

FEWEST = 3
"""Methods from which on a matrix says more than a table of pairs."""
FADED = "#9aa3ad"


def draw(inputs: Inputs, folder: Path, track: str, task: str, dataset: str) -> Drawing | None:
    """Draw one matrix of paired differences in macro DSC per condition; None for fewer than FEWEST methods."""
    pairs = select(
        inputs.tables["comparisons"],
        kind="methods", track=track, task=task, dataset=dataset, protocol=inputs.protocol, measure="dsc",
    )  # fmt: skip
    scores = select(
        inputs.tables["scores"],
        track=track, task=task, dataset=dataset, protocol=inputs.protocol, class_name=MACRO, measure="dsc",
    )  # fmt: skip
    conditions = [name for name in inputs.conditions(track) if name in set(pairs["held"])]
    count = scores["method"].nunique()
    if count < FEWEST or not conditions:
        return None
    side = 0.47 * count
    with canvas(1.9 + (1.4 + side) * len(conditions), 1.9 + 0.75 * side) as figure:
        for axes, condition in zip(figure.subplots(1, len(conditions), squeeze=False).flat, conditions, strict=True):
            means = select(scores, condition=condition).set_index("method")["mean"].sort_values(ascending=False)
            points, clear = matrices(select(pairs, held=condition), list(means.index))
            names = [fill(inputs.method_title(track, method), 30) for method in means.index]
            bound = max(1.0, float(np.nanmax(np.abs(points.to_numpy(dtype=float)))))
            sns.heatmap(
                points.where(clear), cmap="vlag_r", center=0, vmin=-bound, vmax=bound, cbar=False, linewidths=1.2,
                linecolor="white", xticklabels=names, yticklabels=names, ax=axes,
            )  # fmt: skip
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
                "Macro DSC of the row minus that of the column, in hundredths, paired by patient; best mean on top."
                " Coloured: separable (Holm-corrected sign-flip test and interval); pale: not."
                f" Protocol {inputs.protocol}, n = {range_text(list(pairs['n_patients']))} patients,"
                f" seeds: {range_text(list(pairs['n_seeds']))}."
            ),
            track=track,
            task=task,
        )


def matrices(pairs: pd.DataFrame, methods: list[str]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the difference of each row's method minus each column's in hundredths, and whether it is separable.

    Args:
        pairs: Rows of the comparisons, one a pair of methods.
        methods: Order of rows and columns; the diagonal is NaN and not separable.
    """
    points = pd.DataFrame(np.nan, index=methods, columns=methods)
    clear = pd.DataFrame(False, index=methods, columns=methods)
    for pair in pairs.itertuples():
        points.loc[pair.a, pair.b] = 100 * pair.difference
        points.loc[pair.b, pair.a] = -100 * pair.difference
        clear.loc[pair.a, pair.b] = clear.loc[pair.b, pair.a] = bool(pair.separable)
    return points, clear
