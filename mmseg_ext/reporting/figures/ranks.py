"""How often each method takes each rank when patients and seeds are drawn anew."""

from __future__ import annotations

from pathlib import Path
from textwrap import fill

import seaborn as sns

from mmseg_ext.analysis.measures import select
from mmseg_ext.reporting.figures.style import Drawing, canvas, save
from mmseg_ext.reporting.formatting import range_text
from mmseg_ext.reporting.inputs import Inputs

CELL = 0.72
"""Height of a cell by its width."""


def draw(inputs: Inputs, folder: Path, track: str, task: str, dataset: str) -> Drawing | None:
    """Draw one heat map per condition; None where methods are not ranked."""
    ranks = select(
        inputs.tables["ranks"],
        track=track, task=task, dataset=dataset, protocol=inputs.protocol, measure=inputs.task(task).deciding,
    )  # fmt: skip
    if ranks.empty:
        return None
    conditions = [name for name in inputs.conditions(track) if name in set(ranks["condition"])]
    # Wide enough for a condition's title.
    sides = [max(1.8, 0.5 * select(ranks, condition=name)["method"].nunique()) for name in conditions]
    with canvas(0.3 + sum(1.6 + side for side in sides), 1.2 + CELL * max(sides)) as figure:
        grid = figure.subplots(1, len(conditions), squeeze=False, width_ratios=sides)
        for axes, condition in zip(grid.flat, conditions, strict=True):
            part = select(ranks, condition=condition)
            order = list(dict.fromkeys(part["method"]))
            table = part.pivot_table(index="method", columns="rank", values="frequency").loc[order]
            text = table.map(lambda value: f"{100 * value:.0f}" if value >= 0.005 else "")
            sns.heatmap(
                100 * table, annot=text, fmt="", cmap="Blues", vmin=0, vmax=100, cbar=False, linewidths=1.5,
                linecolor="white", annot_kws={"fontsize": 8.5}, ax=axes,
            )  # fmt: skip
            axes.set(title=fill(inputs.condition_title(track, condition), 20), xlabel="rank", ylabel="")
            axes.set_yticklabels([fill(inputs.method_title(track, method), 30) for method in order], rotation=0)
            axes.tick_params(length=0)
            axes.set_box_aspect(CELL)
            axes.set_anchor("N")
        return save(
            figure,
            folder,
            f"ranks_{track}_{task}_{dataset}",
            title="How stable the order is",
            caption=(
                f"Percentage of {inputs.plan.suite.bootstrap_samples} bootstrap resamples in which a method takes a"
                f" rank in {inputs.deciding_title(task)}; best mean on top. Protocol {inputs.protocol},"
                f" n = {range_text(list(ranks['n_patients']))} patients."
            ),
            track=track,
            task=task,
        )
