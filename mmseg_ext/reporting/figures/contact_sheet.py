"""Some cases of a data set at a glance, with the contours of their classes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
import seaborn as sns

from mmseg_ext.data.prepared import IGNORED, PreparedDataset
from mmseg_ext.reporting.figures.case_view import CaseView, shortened
from mmseg_ext.reporting.figures.style import Drawing, canvas, save
from mmseg_ext.reporting.formatting import plain
from mmseg_ext.reporting.inputs import Inputs

COLUMNS = 6
PANELS = 12
PANEL_WIDTH = 1.75
"""Inches."""
MOST_ASPECT = 1.5
"""Height over width at which a tall picture is made narrower instead."""
GOLDEN = 0.618034
LIGHTNESS = (0.75, 0.6, 0.88, 0.68, 0.5)
CLASSES_A_ROW = 7


def draw(inputs: Inputs, folder: Path, dataset: str) -> Drawing:
    """Draw up to PANELS cases of a prepared data set, from least to most foreground.

    Of volumes with several channels fewer cases are drawn, each in a row with its channels.
    """
    prepared = PreparedDataset(inputs.prepared(dataset))
    channels = prepared.card["channels"] if prepared.card["is_volume"] else prepared.card["channels"][:1]
    cases = spread_out(prepared.class_pixels, prepared.classes[0], max(1, PANELS // len(channels)))
    subset = prepared.splits.set_index("case")["subset"]
    panels = [(case, channel) for case in cases for channel in range(len(channels))]
    columns = len(channels) if len(channels) > 1 else min(COLUMNS, len(cases))
    rows = -(-len(panels) // columns)
    views = [CaseView(prepared, case, whole=True, channel=channel) for case, channel in panels]
    shown = sorted({int(class_id) for view in views for class_id in np.unique(view.truth)} - {0, IGNORED})
    colours = class_colours(shown)
    height = min(MOST_ASPECT, max(view.height / view.width for view in views)) * PANEL_WIDTH + 0.45
    legend_rows = -(-len(shown) // CLASSES_A_ROW)
    with canvas(PANEL_WIDTH * columns + 0.2, height * rows + 0.22 * legend_rows) as figure:
        grid = figure.subplots(rows, columns, squeeze=False).ravel()
        for axes in grid[len(panels) :]:
            axes.set_axis_off()
        for axes, view, (case, channel) in zip(grid, views, panels, strict=False):
            # Names stand in line whatever the shapes of the pictures.
            axes.set_anchor("S")
            view.show(axes)
            view.outline(axes, view.truth, colours, width=0.9)
            which = f", {channels[channel]}" if len(channels) > 1 else ""
            axes.set_xlabel(f"{shortened(case)}\n{subset[case]}{which}", fontsize=7.5)
        handles = [
            mpl.lines.Line2D([], [], color=colours[class_id], linewidth=2, label=plain(prepared.classes[class_id]))
            for class_id in shown
        ]
        if handles:
            figure.legend(handles=handles, loc="outside lower center", ncols=min(len(handles), CLASSES_A_ROW))
        return save(
            figure,
            folder,
            f"contact_sheet_{dataset}",
            title="Contact sheet",
            caption=_caption(prepared, len(cases), len(shown)),
            dataset=dataset,
        )


def _caption(prepared: PreparedDataset, cases: int, classes: int) -> str:
    every, foreground = len(prepared.cases), len(prepared.classes) - 1
    which = "All cases" if cases == every else f"{cases} of {every} cases"
    named = "" if classes == foreground else f" {classes} of {foreground} classes are in the pictures."
    slices = " Of a volume the slice with most foreground, whole." if prepared.card["is_volume"] else ""
    return (
        f"{which} from least to most foreground, with the contours of their classes.{named}{slices} Grey values as "
        "networks get them."
    )


def spread_out(class_pixels: pd.DataFrame, background: str, most: int = PANELS) -> list[str]:
    """Return up to `most` cases, evenly spread over the order of their foreground.

    Args:
        class_pixels: Columns case, class_name, pixels.
        background: The class that is no foreground.
        most: How many cases.
    """
    foreground = class_pixels["pixels"].where(class_pixels["class_name"] != background, 0)
    totals = foreground.groupby(class_pixels["case"]).sum().sort_values(kind="stable")
    chosen = np.linspace(0, len(totals) - 1, min(most, len(totals))).round().astype(int)
    return [str(case) for case in totals.index[chosen]]


def class_colours(class_ids: Sequence[int]) -> dict[int, str]:
    """Return a bright colour per class id; many classes differ in lightness too."""
    if len(class_ids) <= CLASSES_A_ROW:
        # The first is the one that neither skin nor tissue has.
        colours = sns.husl_palette(max(1, len(class_ids)), h=0.52, s=1, l=0.7).as_hex()
    else:
        # Steps of the golden angle keep the hues of neighbours far apart, however many there are.
        hues = [(0.52 + index * GOLDEN) % 1 for index in range(len(class_ids))]
        levels = [LIGHTNESS[index % len(LIGHTNESS)] for index in range(len(class_ids))]
        colours = [
            sns.husl_palette(1, h=hue, s=1, l=level).as_hex()[0] for hue, level in zip(hues, levels, strict=True)
        ]
    return {class_id: str(colour) for class_id, colour in zip(class_ids, colours, strict=False)}
