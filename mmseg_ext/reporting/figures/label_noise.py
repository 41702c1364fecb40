"""What label noise did: scores near fuzzy and sharp borders, confidence over time, maps over training images."""

from __future__ import annotations

from pathlib import Path
from textwrap import fill

import numpy as np

from mmseg_ext.analysis.measures import select
from mmseg_ext.data.prepared import PreparedDataset, read_map
from mmseg_ext.reporting.figures.case_view import CaseView, shortened
from mmseg_ext.reporting.figures.style import GREY, Drawing, canvas, markers, method_legend, palette, save
from mmseg_ext.reporting.inputs import Inputs

TITLES = {
    "dice_fuzzy": "Dice in the fuzzy band",
    "dice_sharp": "Dice in the sharp band",
    "area_ratio": "predicted by true area",
    "memorisation_gap": "memorisation gap",
    "auroc_fuzzy": "AUROC of the fuzzy weight",
    "auroc_confidence": "AUROC of 1 - confidence",
}
NEUTRAL = {"area_ratio": 1.0, "memorisation_gap": 0.0, "auroc_fuzzy": 0.5, "auroc_confidence": 0.5}
"""Values that say: no bias, as much truth as noise, no better than chance."""
CASES = 3


def draw(inputs: Inputs, folder: Path, track: str) -> list[Drawing]:
    """Draw the figures of a track; none where no run has measures of label noise."""
    drawn = [_measures(inputs, folder, track), _confidence(inputs, folder, track), _maps(inputs, folder, track)]
    return [one for one in drawn if one is not None]


def _measures(inputs: Inputs, folder: Path, track: str) -> Drawing | None:
    table = select(inputs.tables["noise"], track=track)
    if table.empty:
        return None
    shown = [measure for measure in TITLES if measure in set(table["measure"])]
    methods = [method for method in inputs.methods if method in set(table["method"])]
    groups = list(table[["task", "dataset", "condition"]].drop_duplicates().itertuples(index=False))
    colours, shapes = palette(inputs.methods), markers(inputs.methods)
    lines = -(-len(shown) // 3)
    with canvas(9.2, 0.9 + lines * (0.7 + 0.16 * len(methods) * len(groups))) as figure:
        grid = figure.subplots(lines, 3, squeeze=False, sharey=True)
        for axes, measure in zip(grid.flat, shown, strict=False):
            for line, (task, dataset, condition) in enumerate(groups):
                rows = select(table, task=task, dataset=dataset, condition=condition, measure=measure)
                for row in rows.itertuples():
                    place = -line - 0.8 * (methods.index(row.method) + 0.5) / len(methods)
                    axes.plot([row.ci_low, row.ci_high], [place, place], color=colours[row.method], linewidth=1.4)
                    look = {"marker": shapes[row.method], "color": colours[row.method]}
                    axes.plot([row.mean], [place], **look, markersize=4)
            if measure in NEUTRAL:
                axes.axvline(NEUTRAL[measure], color=GREY, linewidth=0.8, linestyle=(0, (4, 3)))
            axes.set(title=TITLES[measure], ylim=(-len(groups) + 0.1, 0.1))
            names = [inputs.condition_title(track, condition) for _, _, condition in groups]
            axes.set_yticks([-line - 0.4 for line in range(len(groups))], [fill(name, 25) for name in names])
        for axes in grid.flat[len(shown) :]:
            axes.set_visible(False)
        titles = {name: inputs.method_title(track, name) for name in methods}
        method_legend(figure, methods, titles, colours)
        return save(
            figure,
            folder,
            f"label_noise_{track}",
            title="Near the border, and what was learnt by heart",
            caption=(
                "Means over cases with 95 % intervals. Bands lie around the true border of the test cases, where the"
                " image is fuzzy and where it is sharp. Memorisation gap: of wrongly labelled pixels of training cases,"
                " the share predicted as labelled less the share predicted as is true. AUROC: how well a map of the"
                " method finds wrongly labelled pixels; dashed: chance, no bias, or as much truth as noise."
            ),
            track=track,
        )


def _confidence(inputs: Inputs, folder: Path, track: str) -> Drawing | None:
    curves = select(inputs.results.curves, track=track, series="confidence")
    if curves.empty:
        return None
    methods = [method for method in inputs.methods if method in set(curves["method"])]
    colours = palette(inputs.methods)
    with canvas(6.4, 2.9) as figure:
        axes = figure.subplots()
        for (method, _), part in curves.groupby(["method", "condition"]):
            for _, run in part.groupby(["task", "seed"]):
                axes.plot(run["iteration"], run["value"], color=colours[method], linewidth=0.7, alpha=0.4)
            mean = part.groupby("iteration")["value"].mean()
            axes.plot(mean.index, mean, color=colours[method], linewidth=1.6)
        axes.set(xlabel="iteration", ylabel="mean confidence")
        method_legend(figure, methods, {name: inputs.method_title(track, name) for name in methods}, colours)
        return save(
            figure,
            folder,
            f"confidence_{track}",
            title="Label confidence over time",
            caption="Mean over the fuzzy part of the batches; thin lines are runs, thick ones the mean of a condition.",
            track=track,
        )


def _maps(inputs: Inputs, folder: Path, track: str) -> Drawing | None:
    """Draw the maps of the first run that has a confidence, or else a fuzzy, map."""
    found = [
        (cell, path)
        for kind in ("confidence", "fuzzy")
        for cell in inputs.plan.runs
        if cell.track == track
        for path in sorted((cell.folder / "predictions/training_maps" / kind).glob("*"))
    ]
    if not found:
        return None
    cell, first = found[0]
    dataset = first.name
    data = PreparedDataset(inputs.task(cell.task).datasets[dataset].prepared)
    noisy = PreparedDataset(data.root, Path(cell.labels[dataset]))
    samples = sorted(path.stem for path in first.glob("*.png"))
    chosen = [samples[place] for place in np.linspace(0, len(samples) - 1, min(CASES, len(samples))).astype(int)]
    owners = {sample: case for case, content in data.cases.items() for sample in content.samples}
    kinds = [kind for kind in ("fuzzy", "confidence") if (first.parents[1] / kind).is_dir()]
    with canvas(1.9 * (1 + len(kinds)), 0.4 + 1.95 * len(chosen)) as figure:
        grid = figure.subplots(len(chosen), 1 + len(kinds), squeeze=False)
        for line, sample in zip(grid, chosen, strict=True):
            view = CaseView(data, owners[sample], whole=True)
            for axes, kind in zip(line, ["", *kinds], strict=True):
                view.show(axes)
                if kind:
                    values = read_map(first.parents[1] / kind / dataset / f"{sample}.png") / 255
                    # Where confidences begin anew in every iteration, they stay within one step of 1.
                    low = 0.0 if kind == "fuzzy" else min(float(values.min()), 0.99)
                    axes.imshow(values, cmap="magma" if kind == "fuzzy" else "viridis", vmin=low, vmax=1, alpha=0.75)
                view.outline(axes, view.truth, "white")
                view.outline(axes, noisy.label(sample), "#ff5c39")
            line[0].set_ylabel(shortened(sample), fontsize=8.5)
        for axes, kind in zip(grid[0], ["", *kinds], strict=True):
            axes.set_title({"": "labels", "fuzzy": "fuzzy weight", "confidence": "confidence"}[kind])
        return save(
            figure,
            folder,
            f"training_maps_{track}",
            title="What a method holds of its training labels",
            caption=(
                f"Training images of {cell.run}. White: truth; orange: the noisy label. Fuzzy weight: dark 0, light 1;"
                " confidence: dark the least of the image, yellow 1."
            ),
            track=track,
        )
