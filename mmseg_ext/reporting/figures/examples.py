"""Worst, median and best case, with the contours of truth and prediction over the image."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib import patheffects
from matplotlib.axes import Axes

from mmseg_ext.analysis.measures import macro_cases, select
from mmseg_ext.data.prepared import PreparedDataset
from mmseg_ext.evaluation.predictions import read_prediction
from mmseg_ext.reporting.figures.style import Drawing, bare, canvas, palette, save
from mmseg_ext.reporting.inputs import Inputs

METHODS_A_ROW = 6
LONGEST_NAME = 20
"""Characters of a case name that fit beside its row."""


def draw(inputs: Inputs, folder: Path, track: str, task: str, dataset: str) -> Drawing | None:
    """Draw three cases as rows and methods as columns, under the track's first condition; None without data."""
    condition = inputs.conditions(track)[0]
    cases = select(
        inputs.results.cases,
        track=track, task=task, dataset=dataset, condition=condition, protocol=inputs.protocol,
    )  # fmt: skip
    if cases.empty:
        return None
    seed = int(cases["seed"].min())
    macro = macro_cases(select(cases, seed=seed))
    methods = [method for method in inputs.methods if method in set(macro["method"])][:METHODS_A_ROW]
    chosen = representative(macro)
    if not chosen:
        return None
    prepared = PreparedDataset(inputs.task(task).datasets[dataset].prepared)
    colours = palette(inputs.methods)
    with canvas(0.5 + 1.75 * (len(methods) + 1), 0.5 + 1.95 * len(chosen)) as figure:
        grid = figure.subplots(len(chosen), len(methods) + 1, squeeze=False)
        for line, (label, case) in zip(grid, chosen.items(), strict=True):
            view = CaseView(prepared, case)
            view.show(line[0])
            view.outline(line[0], view.truth, "white")
            line[0].set_ylabel(f"{label}\n{shortened(case)}", fontsize=8.5)
            for axes, method in zip(line[1:], methods, strict=True):
                view.show(axes)
                rows = select(macro, method=method, case=case)
                if rows.empty:
                    axes.set_xlabel("not scored")
                    continue
                run = f"{track}/{task}/{method}/{condition}/seed_{seed}"
                predicted = read_prediction(_predictions(inputs, run, dataset), case)[view.slice]
                view.outline(axes, view.truth, "white")
                view.outline(axes, predicted, colours[method])
                axes.set_xlabel(f"DSC {rows.iloc[0]['dsc']:.3f}", fontsize=8.5)
        grid[0, 0].set_title("truth")
        for axes, method in zip(grid[0, 1:], methods, strict=True):
            axes.set_title(inputs.method_title(track, method), fontsize=8.5, color=colours[method])
        more = "" if len(inputs.methods) <= METHODS_A_ROW else f" The first {METHODS_A_ROW} methods are shown."
        return save(
            figure,
            folder,
            f"examples_{track}_{task}_{dataset}",
            title="Worst, median and best case",
            caption=(
                "Cases in order of their macro DSC averaged over methods. White: truth; coloured: prediction. The slice"
                " with most foreground, cut to its surroundings; DSC is the macro mean of the whole case."
                f" {inputs.condition_title(track, condition).capitalize()}, seed {seed}, protocol"
                f" {inputs.protocol}.{more}"
            ),
            track=track,
            task=task,
        )


def representative(macro: pd.DataFrame) -> dict[str, str]:
    """Return the worst, median and best case by mean DSC over methods; fewer where there are fewer cases."""
    means = macro.groupby("case", sort=True)["dsc"].mean().dropna().sort_values(kind="stable")
    order = list(means.index)
    if not order:
        return {}
    if len(order) < 3:
        return dict(zip(("worst", "best") if len(order) == 2 else ("only case",), order, strict=True))
    return {"worst": order[0], "median": order[(len(order) - 1) // 2], "best": order[-1]}


def shortened(case: str) -> str:
    """Return a case's name so that it fits beside its row: the middle of a long one is left out."""
    return case if len(case) <= LONGEST_NAME else f"{case[: LONGEST_NAME // 2]}…{case[1 - LONGEST_NAME // 2 :]}"


class CaseView:
    """The slice of a case with most foreground, cut to its surroundings.

    Args:
        prepared: Its data set.
        case: Its name.
    """

    def __init__(self, prepared: PreparedDataset, case: str) -> None:
        volume = prepared.label_volume(case)
        self.slice = int((volume > 0).sum(axis=(1, 2)).argmax())
        self.truth = volume[self.slice]
        name = prepared.cases[case].samples[self.slice]
        sample = prepared.samples.set_index("sample").loc[name]
        self.image = _displayable(prepared.image(name), sample)
        spacing = prepared.cases[case].spacing
        self.aspect = spacing[1] / spacing[2] if spacing else 1.0
        self.window = _surroundings(self.truth)

    def show(self, axes: Axes) -> None:
        """Draw the image."""
        bare(axes)
        rows, columns = self.window
        look = {"cmap": "gray", "vmin": 0, "vmax": 1} if self.image.ndim == 2 else {}
        axes.imshow(self.image[rows, columns], aspect=self.aspect, interpolation="nearest", **look)

    def outline(self, axes: Axes, labels: np.ndarray, colour: str) -> None:
        """Draw the border of every class in a label map (H, W)."""
        part = labels[self.window]
        for class_id in np.unique(part[part > 0]):
            drawn = axes.contour(part == class_id, levels=[0.5], colors=[colour], linewidths=1.3)
            drawn.set_path_effects([patheffects.withStroke(linewidth=2.3, foreground="#00000090")])


def _displayable(image: np.ndarray, sample: pd.Series) -> np.ndarray:
    """Return the image with its intensity window at 0 to 1."""
    physical = image * float(sample["slope"]) + float(sample["intercept"])
    return np.clip((physical - sample["low"]) / (sample["high"] - sample["low"]), 0, 1)


def _surroundings(truth: np.ndarray) -> tuple[slice, slice]:
    """Return a square window around the foreground that shows some of what lies about it."""
    if not truth.any():
        return slice(0, truth.shape[0]), slice(0, truth.shape[1])
    spans = [np.flatnonzero((truth > 0).any(axis=axis)) for axis in (1, 0)]
    side = max(1.7 * max(span[-1] - span[0] + 1 for span in spans), 0.3 * min(truth.shape))
    window = []
    for span, length in zip(spans, truth.shape, strict=True):
        size = min(length, round(side))
        start = min(max(0, (span[0] + span[-1] + 1 - size) // 2), length - size)
        window.append(slice(int(start), int(start + size)))
    return window[0], window[1]


def _predictions(inputs: Inputs, run: str, dataset: str) -> Path:
    folder = next(cell.folder for cell in inputs.plan.runs if cell.run == run)
    return folder / "predictions" / inputs.plan.protocols[inputs.protocol].variant / dataset
