"""What became of unseen classes: scores, predictions of test images, and the regions training was given."""

from __future__ import annotations

from pathlib import Path
from textwrap import fill

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb

from mmseg_ext.analysis.measures import select
from mmseg_ext.analysis.pooled import SEEN, UNSEEN
from mmseg_ext.data.prepared import PreparedDataset, read_map
from mmseg_ext.evaluation.predictions import read_prediction
from mmseg_ext.reporting.figures.case_view import CaseView, shortened
from mmseg_ext.reporting.figures.contact_sheet import class_colours
from mmseg_ext.reporting.figures.style import GREY, Drawing, bare, canvas, markers, method_legend, palette, save
from mmseg_ext.reporting.formatting import capitalised, range_text
from mmseg_ext.reporting.inputs import Inputs

CASES = 4
METHODS_A_ROW = 7
UNSEEN_COLOUR = "#f08c00"
"""Colour laid over what is, or is said to be, of an unseen class."""


def draw_predictions(inputs: Inputs, folder: Path, track: str, task: str, dataset: str) -> Drawing | None:
    """Draw the test images with most of unseen classes under all methods, the best first; None without any.

    Images are rows and methods columns; methods that find no place beside the others go below them.
    """
    summary = inputs.task(task)
    condition = inputs.conditions(track)[0]
    cases = select(
        inputs.results.cases,
        track=track, task=task, dataset=dataset, condition=condition, protocol=inputs.protocol,
    )  # fmt: skip
    cases = cases[cases["class_name"].isin(summary.unseen)]
    if cases.empty:
        return None
    seed = int(cases["seed"].min())
    cases = select(cases, seed=seed)
    scores = inputs.deciding_scores(track=track, task=task, dataset=dataset, condition=condition)
    order = scores.sort_values("mean", ascending=False, kind="stable")["method"]
    methods = [method for method in order if method in set(cases["method"])]
    blocks = [methods[start : start + METHODS_A_ROW] for start in range(0, len(methods), METHODS_A_ROW)]
    amount = cases.groupby("case")["truth"].max().sort_values(ascending=False, kind="stable")
    prepared = PreparedDataset(summary.datasets[dataset].prepared)
    unseen = [summary.classes.index(name) for name in summary.unseen]
    colours = class_colours(range(1, len(summary.classes)))
    chosen = list(amount.index[:CASES])
    columns = 1 + len(blocks[0])
    with canvas(0.4 + 1.5 * columns, (0.5 + 1.5 * len(chosen)) * len(blocks)) as figure:
        parts = figure.subfigures(len(blocks), 1, squeeze=False)[:, 0]
        for part, block in zip(parts, blocks, strict=True):
            grid = part.subplots(len(chosen), columns, squeeze=False)
            for axes in grid[:, 1 + len(block) :].flat:
                axes.set_visible(False)
            for line, case in zip(grid, chosen, strict=True):
                view = CaseView(prepared, case)
                _classes(line[0], view, view.truth, unseen, colours)
                line[0].set_ylabel(shortened(case), fontsize=8.5)
                for axes, method in zip(line[1:], block, strict=False):
                    run = f"{track}/{task}/{method}/{condition}/seed_{seed}"
                    predicted = read_prediction(inputs.predictions(run, dataset), case)[view.slice]
                    _classes(axes, view, predicted, unseen, colours)
            titles = ["truth", *(inputs.method_title(track, method) for method in block)]
            for axes, title in zip(grid[0], titles, strict=False):
                axes.set_title(fill(title, 20), fontsize=8)
        return save(
            figure,
            folder,
            f"unseen_{track}_{task}_{dataset}",
            title="Unseen classes in test images",
            caption=(
                "The images with most of one unseen class. Outlines: classes, each in its colour; orange: what is, or"
                f" was said to be, of an unseen class ({', '.join(summary.unseen)}). Methods by"
                f" {inputs.deciding_title(task)}. {capitalised(inputs.condition_title(track, condition))}, seed {seed},"
                f" protocol {inputs.protocol}."
            ),
            track=track,
            task=task,
        )


def draw_trade_off(inputs: Inputs, folder: Path, track: str, task: str, dataset: str) -> Drawing | None:
    """Draw pooled IoU of unseen against that of seen classes, one panel a condition; None without scores."""
    pooled = select(
        inputs.tables["pooled"], track=track, task=task, dataset=dataset, protocol=inputs.protocol, measure="iou"
    )
    ends = {
        name: select(pooled, class_name=name).set_index(["condition", "method"])[["mean", "ci_low", "ci_high"]]
        for name in (SEEN, UNSEEN)
    }
    conditions = [name for name in inputs.conditions(track) if name in set(pooled["condition"])]
    if not conditions:
        return None
    methods = [method for method in inputs.methods if method in set(pooled["method"])]
    colours, shapes = palette(inputs.methods), markers(inputs.methods)
    limit = min(1.0, 1.05 * max(float(part[["mean", "ci_high"]].max().max()) for part in ends.values()))
    columns = min(2, len(conditions))
    rows = -(-len(conditions) // columns)
    legend = 0.2 * -(-len(methods) // columns)
    with canvas(0.8 + 4.6 * columns, 0.9 + 4.6 * rows + legend) as figure:
        grid = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True)
        for axes in grid.flat[len(conditions) :]:
            axes.set_visible(False)
        for axes, condition in zip(grid.flat, conditions, strict=False):
            _harmonics(axes, limit)
            for method in methods:
                if (condition, method) not in ends[SEEN].index:
                    continue
                seen, unseen = (ends[name].loc[(condition, method)] for name in (SEEN, UNSEEN))
                line = {"color": colours[method], "linewidth": 1.2, "alpha": 0.6}
                axes.plot([seen["ci_low"], seen["ci_high"]], [unseen["mean"]] * 2, **line)
                axes.plot([seen["mean"]] * 2, [unseen["ci_low"], unseen["ci_high"]], **line)
                axes.plot(
                    [seen["mean"]], [unseen["mean"]], color=colours[method], marker=shapes[method], markersize=7,
                    markeredgecolor="white", zorder=3,
                )  # fmt: skip
            axes.set(title=fill(inputs.condition_title(track, condition), 32), xlim=(0, limit), ylim=(0, limit))
            axes.set_box_aspect(1)
        for axes in grid[-1]:
            axes.set_xlabel("IoU of seen classes")
        for axes in grid[:, 0]:
            axes.set_ylabel("IoU of unseen classes")
        method_legend(figure, methods, {name: inputs.method_title(track, name) for name in methods}, colours)
        return save(
            figure,
            folder,
            f"trade_off_{track}_{task}_{dataset}",
            title="Seen and unseen classes",
            caption=(
                "Pooled IoU, mean over seen and over unseen classes, with 95 % intervals. On a grey line the harmonic"
                f" mean is equal. Protocol {inputs.protocol}, n = {range_text(list(pooled['n_cases']))} images, seeds:"
                f" {range_text(list(pooled['n_seeds']))}."
            ),
            track=track,
            task=task,
        )


def _harmonics(axes: Axes, limit: float) -> None:
    """Draw lines of equal harmonic mean at every tenth below the limit."""
    for mean in np.arange(0.1, limit, 0.1):
        seen = np.linspace(mean / 2, limit, 200)[1:]
        unseen = mean * seen / (2 * seen - mean)
        axes.plot(seen, unseen, color="#d5dade", linewidth=0.8, zorder=1)
        axes.annotate(
            f"{mean:.1f}", (limit, unseen[-1]), (2, 0), textcoords="offset points", color=GREY, fontsize=7, va="center"
        )


def draw_regions(inputs: Inputs, folder: Path, track: str, task: str, dataset: str) -> Drawing | None:
    """Draw training images, what of them is not annotated, and the regions found there; None without regions."""
    summary = inputs.task(task)
    maps = inputs.plan.regions.get(task, {}).get(dataset)
    if maps is None or not maps.is_dir():
        return None
    prepared = PreparedDataset(summary.datasets[dataset].prepared)
    hidden_ids = [summary.classes.index(name) for name in [*summary.unseen, *summary.ignored]]
    pixels = prepared.class_pixels[prepared.class_pixels["class_name"].isin(summary.unseen)]
    amount = pixels.groupby("case")["pixels"].max().sort_values(ascending=False, kind="stable")
    chosen = [case for case in amount.index if (maps / f"{prepared.cases[case].samples[0]}.png").is_file()][:CASES]
    if not chosen:
        return None
    with canvas(0.4 + 1.85 * len(chosen), 0.4 + 1.75 * 3) as figure:
        grid = figure.subplots(3, len(chosen), squeeze=False)
        for column, case in zip(grid.T, chosen, strict=True):
            view = CaseView(prepared, case)
            ids = read_map(maps / f"{prepared.cases[case].samples[0]}.png")
            hidden = np.isin(view.truth, hidden_ids)[view.window]
            view.show(column[0])
            view.show(column[1])
            _lay(column[1], hidden)
            bare(column[2])
            column[2].imshow(_coloured(ids[view.window], hidden), interpolation="nearest")
            column[0].set_title(shortened(case), fontsize=8.5)
        for axes, label in zip(grid[:, 0], ["image", "not annotated", "regions"], strict=True):
            axes.set_ylabel(label, fontsize=8.5)
        return save(
            figure,
            folder,
            f"regions_{track}_{task}_{dataset}",
            title="Regions of training images",
            caption=(
                "Training images with most of one unseen class, what of it is not annotated (orange), and the regions a"
                " frozen CLIP divides the image into: full colour where they are candidates, pale where the image is"
                " annotated."
            ),
            track=track,
            task=task,
        )


def _classes(axes: Axes, view: CaseView, labels: np.ndarray, unseen: list[int], colours: dict[int, str]) -> None:
    view.show(axes)
    _lay(axes, np.isin(labels, unseen)[view.window])
    view.outline(axes, labels, colours)


def _lay(axes: Axes, mask: np.ndarray) -> None:
    """Lay the colour of unseen classes over the pixels of a mask (H, W)."""
    layer = np.zeros((*mask.shape, 4))
    layer[mask] = (*to_rgb(UNSEEN_COLOUR), 0.55)
    axes.imshow(layer, interpolation="nearest")


def _coloured(ids: np.ndarray, candidates: np.ndarray) -> np.ndarray:
    """Return region ids (H, W) from 1 on as colours (H, W, 3), pale where they are no candidates."""
    wheel = class_colours(range(1, int(ids.max()) + 1))
    table = np.array([to_rgb(colour) for colour in wheel.values()])[ids - 1]
    found: np.ndarray = np.where(candidates[..., None], table, 0.75 + 0.25 * table)
    return found
