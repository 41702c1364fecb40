"""Some cases of a data set at a glance, with the contours of their classes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
import seaborn as sns
from skimage.color import rgb2lab

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
HUES, SATURATIONS, LIGHTNESS = 36, (1.0, 0.55), (0.5, 0.65, 0.8, 0.92)
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
        f"{which} from least to most foreground, with the contours of their classes.{named}{slices} Intensities as "
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
    """Return a bright colour per class id; many classes differ in lightness and saturation too."""
    # The first is the one that neither skin nor tissue has.
    colours = sns.husl_palette(max(1, len(class_ids)), h=0.52, s=1, l=0.7).as_hex()
    if len(class_ids) > CLASSES_A_ROW:
        colours = _far_apart(len(class_ids), colours[0])
    return {class_id: str(colour) for class_id, colour in zip(class_ids, colours, strict=False)}


def _far_apart(count: int, first: str) -> list[str]:
    """Return colours of which each is as far from those before it as any can be, by the CIE 1976 difference."""
    choice = [
        colour
        for level in LIGHTNESS
        for saturation in SATURATIONS
        for colour in sns.husl_palette(HUES, s=saturation, l=level).as_hex()
    ]
    places = rgb2lab(np.array([mpl.colors.to_rgb(colour) for colour in [first, *choice]])[None])[0]
    chosen, nearest = [first], np.linalg.norm(places[1:] - places[0], axis=1)
    while len(chosen) < count:
        index = int(nearest.argmax())
        chosen.append(choice[index])
        nearest = np.minimum(nearest, np.linalg.norm(places[1:] - places[1 + index], axis=1))
    return chosen
