"""What decides, with intervals, method by method."""

from __future__ import annotations

from pathlib import Path
from textwrap import fill

from matplotlib.ticker import MaxNLocator

from mmseg_ext.analysis.measures import select
from mmseg_ext.reporting.figures.style import GREY, Drawing, canvas, markers, palette, save, within
from mmseg_ext.reporting.formatting import range_text
from mmseg_ext.reporting.inputs import Inputs


def draw(inputs: Inputs, folder: Path, track: str) -> Drawing | None:
    """Draw one panel per test set; None if nothing has finished."""
    scores = inputs.deciding_scores(track=track)
    if scores.empty:
        return None
    sets = [(task, dataset) for of_track, task, dataset in inputs.test_sets() if of_track == track and dataset]
    methods = list(scores.groupby("method")["mean"].mean().sort_values(ascending=False, kind="stable").index)
    conditions = [name for name in inputs.conditions(track) if name in set(scores["condition"])]
    lines = [(condition, method) for condition in conditions for method in methods]
    # A condition is a block with an empty line above for its title.
    height = {line: index + lines.index(line) // len(methods) for index, line in enumerate(lines)}
    colours, shapes = palette(inputs.methods), markers(inputs.methods)
    rows = -(-len(sets) // 3)
    columns = min(3, len(sets))
    with canvas(2.2 + 2.9 * columns, rows * (1.0 + 0.24 * (len(lines) + len(conditions)))) as figure:
        grid = figure.subplots(rows, columns, squeeze=False, sharey=True)
        for axes in grid.flat[len(sets) :]:
            axes.set_visible(False)
        for axes, (task, dataset) in zip(grid.flat, sets, strict=False):
            part = select(scores, task=task, dataset=dataset)
            for (condition, method), y in height.items():
                found = select(part, condition=condition, method=method)
                if found.empty:
                    continue
                row, look = found.iloc[0], {"color": colours[method], "zorder": 3}
                axes.plot([row["ci_low"], row["ci_high"]], [y, y], linewidth=2.2, solid_capstyle="butt", **look)
                axes.plot([row["mean"]], [y], marker=shapes[method], markersize=5.5, markeredgecolor="white", **look)
            axes.set(title=fill(inputs.test_set_title(task, dataset), 38), xlabel=inputs.deciding_title(task))
            axes.set_xlim(within(axes.get_xlim()))
            axes.xaxis.set_major_locator(MaxNLocator(5))
            axes.grid(False, axis="y")
            for condition in conditions[1:]:
                axes.axhline(height[condition, methods[0]] - 1, color="#d5dade", linewidth=0.8)
        first = grid[0, 0]
        first.set_yticks(list(height.values()), [fill(inputs.method_title(track, method), 30) for _, method in lines])
        first.set_ylim(max(height.values()) + 0.6, -1.4 if len(conditions) > 1 else -0.6)
        for axes in grid[:, 0] if len(conditions) > 1 else ():
            for condition in conditions:
                where = axes.get_yaxis_transform()
                text = inputs.condition_title(track, condition)
                axes.text(0.02, height[condition, methods[0]] - 0.85, text, transform=where, color=GREY, va="center",
                          style="italic", fontsize=8)  # fmt: skip
        return save(
            figure,
            folder,
            f"forest_{track}",
            title="Who leads, and by how much",
            caption=(
                f"Scores with 95 % interval, best mean on top. Protocol {inputs.protocol},"
                f" n = {range_text(list(scores['n_cases']))} cases, seeds: {range_text(list(scores['n_seeds']))}."
                " Intervals of two methods may overlap although the paired difference is clear; the letters in the"
                " tables tell."
            ),
            track=track,
        )
