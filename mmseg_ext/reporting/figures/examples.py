"""Worst, median and best case, with the contours of truth and prediction over the image."""

from __future__ import annotations

from pathlib import Path
from textwrap import fill

import pandas as pd

from mmseg_ext.analysis.measures import macro_cases, select
from mmseg_ext.data.prepared import PreparedDataset
from mmseg_ext.evaluation.predictions import read_prediction
from mmseg_ext.reporting.figures.case_view import CaseView, shortened
from mmseg_ext.reporting.figures.style import Drawing, canvas, palette, save
from mmseg_ext.reporting.formatting import capitalised
from mmseg_ext.reporting.inputs import Inputs

METHODS_A_ROW = 6


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
    methods = best_methods(macro)
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
                predicted = read_prediction(inputs.predictions(run, dataset), case)[view.slice]
                view.outline(axes, view.truth, "white")
                view.outline(axes, predicted, colours[method])
                axes.set_xlabel(f"DSC {rows.iloc[0]['dsc']:.3f}", fontsize=8.5)
        grid[0, 0].set_title("truth")
        for axes, method in zip(grid[0, 1:], methods, strict=True):
            axes.set_title(fill(inputs.method_title(track, method), 22), fontsize=8.5, color=colours[method])
        more = "" if macro["method"].nunique() <= METHODS_A_ROW else f" The {METHODS_A_ROW} methods with the best mean."
        return save(
            figure,
            folder,
            f"examples_{track}_{task}_{dataset}",
            title="Worst, median and best case",
            caption=(
                "Cases in order of their macro DSC averaged over methods. White: truth; coloured: prediction. The slice"
                " with most foreground, cut to its surroundings; DSC is the macro mean of the whole case."
                f" {capitalised(inputs.condition_title(track, condition))}, seed {seed}, protocol"
                f" {inputs.protocol}.{more}"
            ),
            track=track,
            task=task,
        )


def best_methods(macro: pd.DataFrame) -> list[str]:
    """Return up to METHODS_A_ROW methods, the highest mean DSC over cases first."""
    means = macro.groupby("method", sort=True)["dsc"].mean().sort_values(ascending=False, kind="stable")
    return list(means.index[:METHODS_A_ROW])


def representative(macro: pd.DataFrame) -> dict[str, str]:
    """Return the worst, median and best case by mean DSC over methods; fewer where there are fewer cases."""
    means = macro.groupby("case", sort=True)["dsc"].mean().dropna().sort_values(kind="stable")
    order = list(means.index)
    if not order:
        return {}
    if len(order) < 3:
        return dict(zip(("worst", "best") if len(order) == 2 else ("only case",), order, strict=True))
    return {"worst": order[0], "median": order[(len(order) - 1) // 2], "best": order[-1]}
