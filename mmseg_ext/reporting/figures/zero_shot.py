"""What became of unseen classes: predictions of test images, and the regions training was given."""

from __future__ import annotations

from pathlib import Path
from textwrap import fill

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb

from mmseg_ext.analysis.measures import select
from mmseg_ext.data.prepared import PreparedDataset, read_map
from mmseg_ext.evaluation.predictions import read_prediction
from mmseg_ext.reporting.figures.case_view import CaseView, shortened
from mmseg_ext.reporting.figures.contact_sheet import class_colours
from mmseg_ext.reporting.figures.style import Drawing, bare, canvas, save
from mmseg_ext.reporting.inputs import Inputs

CASES = 4
METHODS_A_ROW = 6
UNSEEN = "#f08c00"
"""Colour laid over what is, or is said to be, of an unseen class."""


def draw_predictions(inputs: Inputs, folder: Path, track: str, task: str, dataset: str) -> Drawing | None:
    """Draw the test images with most of unseen classes as rows and methods as columns; None without any."""
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
    methods = [method for method in inputs.methods if method in set(cases["method"])][:METHODS_A_ROW]
    amount = cases.groupby("case")["truth"].max().sort_values(ascending=False, kind="stable")
    prepared = PreparedDataset(summary.datasets[dataset].prepared)
    unseen = [summary.classes.index(name) for name in summary.unseen]
    colours = class_colours(range(1, len(summary.classes)))
    chosen = list(amount.index[:CASES])
    with canvas(0.4 + 1.75 * (len(methods) + 1), 0.4 + 1.85 * len(chosen)) as figure:
        grid = figure.subplots(len(chosen), len(methods) + 1, squeeze=False)
        for line, case in zip(grid, chosen, strict=True):
            view = CaseView(prepared, case)
            _classes(line[0], view, view.truth, unseen, colours)
            line[0].set_ylabel(shortened(case), fontsize=8.5)
            for axes, method in zip(line[1:], methods, strict=True):
                run = f"{track}/{task}/{method}/{condition}/seed_{seed}"
                predicted = read_prediction(inputs.predictions(run, dataset), case)[view.slice]
                _classes(axes, view, predicted, unseen, colours)
        for axes, title in zip(grid[0], ["truth", *(inputs.method_title(track, one) for one in methods)], strict=True):
            axes.set_title(fill(title, 22), fontsize=8.5)
        return save(
            figure,
            folder,
            f"unseen_{track}_{task}_{dataset}",
            title="Unseen classes in test images",
            caption=(
                "The images with most of one unseen class. Outlines: classes, each in its colour; orange: what is, or"
                f" was said to be, of an unseen class ({', '.join(summary.unseen)})."
                f" {inputs.condition_title(track, condition).capitalize()}, seed {seed}, protocol {inputs.protocol}."
            ),
            track=track,
            task=task,
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
    layer[mask] = (*to_rgb(UNSEEN), 0.55)
    axes.imshow(layer, interpolation="nearest")


def _coloured(ids: np.ndarray, candidates: np.ndarray) -> np.ndarray:
    """Return region ids (H, W) from 1 on as colours (H, W, 3), pale where they are no candidates."""
    wheel = class_colours(range(1, int(ids.max()) + 1))
    table = np.array([to_rgb(colour) for colour in wheel.values()])[ids - 1]
    found: np.ndarray = np.where(candidates[..., None], table, 0.75 + 0.25 * table)
    return found
