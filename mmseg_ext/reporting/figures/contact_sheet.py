"""Some cases of a data set at a glance, with the contours of their classes."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
import seaborn as sns

from mmseg_ext.data.prepared import PreparedDataset
from mmseg_ext.reporting.figures.case_view import CaseView, shortened
from mmseg_ext.reporting.figures.style import Drawing, canvas, save
from mmseg_ext.reporting.formatting import plain
from mmseg_ext.reporting.inputs import Inputs

COLUMNS = 6
CASES = 12
CLASSES_A_ROW = 7


def draw(inputs: Inputs, folder: Path, dataset: str) -> Drawing:
    """Draw up to CASES cases of a prepared data set, from least to most foreground."""
    prepared = PreparedDataset(inputs.prepared(dataset))
    cases = spread_out(prepared.class_pixels, prepared.classes[0])
    subset = prepared.splits.set_index("case")["subset"]
    columns = min(COLUMNS, len(cases))
    rows = -(-len(cases) // columns)
    colours = class_colours(prepared.classes)
    legend_rows = -(-(len(prepared.classes) - 1) // CLASSES_A_ROW)
    with canvas(1.75 * columns + 0.2, 2.1 * rows + 0.22 * legend_rows) as figure:
        grid = figure.subplots(rows, columns, squeeze=False).ravel()
        for axes in grid[len(cases) :]:
            axes.set_axis_off()
        for axes, case in zip(grid, cases, strict=False):
            view = CaseView(prepared, case, whole=True)
            view.show(axes)
            view.outline(axes, view.truth, colours)
            axes.set_xlabel(f"{shortened(case)}\n{subset[case]}", fontsize=7.5)
        handles = [
            mpl.lines.Line2D([], [], color=colours[class_id], linewidth=2, label=plain(name))
            for class_id, name in enumerate(prepared.classes)
            if class_id
        ]
        figure.legend(handles=handles, loc="outside lower center", ncols=min(len(handles), CLASSES_A_ROW))
        which = "all cases" if len(cases) == len(prepared.cases) else f"{len(cases)} of {len(prepared.cases)} cases"
        slices = "Of a volume the slice with most foreground, whole. " if prepared.card["is_volume"] else ""
        return save(
            figure,
            folder,
            f"contact_sheet_{dataset}",
            title="Contact sheet",
            caption=(
                f"{which.capitalize()} from least to most foreground, with the contours of their classes. {slices}"
                "Grey values as networks get them."
            ),
            dataset=dataset,
        )


def spread_out(class_pixels: pd.DataFrame, background: str) -> list[str]:
    """Return up to CASES cases, evenly spread over the order of their foreground.

    Args:
        class_pixels: Columns case, class_name, pixels.
        background: The class that is no foreground.
    """
    foreground = class_pixels["pixels"].where(class_pixels["class_name"] != background, 0)
    totals = foreground.groupby(class_pixels["case"]).sum().sort_values(kind="stable")
    chosen = np.linspace(0, len(totals) - 1, min(CASES, len(totals))).round().astype(int)
    return [str(case) for case in totals.index[chosen]]


def class_colours(classes: list[str]) -> list[str]:
    """Return a bright colour per class id."""
    return [str(colour) for colour in sns.husl_palette(len(classes), h=0.05, s=1, l=0.7).as_hex()]
