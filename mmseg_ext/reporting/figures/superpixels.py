"""Superpixel maps over some images of a data set."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from mmseg_ext.data.prepared import PreparedDataset
from mmseg_ext.reporting.figures.case_view import CaseView, shortened
from mmseg_ext.reporting.figures.contact_sheet import spread_out
from mmseg_ext.reporting.figures.style import Drawing, bare, canvas, save
from mmseg_ext.reporting.inputs import Inputs
from mmseg_ext.suite.files import read_json
from mmseg_ext.suite.superpixel_recipe import read_recipe
from mmseg_ext.superpixels.quality import DIAGONAL_SHARE, TOLERANCE, borders
from mmseg_ext.superpixels.store import FINISHED, QUALITY, SuperpixelMaps

CASES = 4
LINES = (1.0, 0.1, 0.75)
"""Colour of the borders between superpixels: neither a tissue's nor a scanner's."""
SHOWN_SIDE = 600
"""Pixels along an image's longer side as it is drawn, at which a border two pixels wide is a thin line."""


def draw(inputs: Inputs, folder: Path, dataset: str) -> Drawing | None:
    """Draw two rows a recipe, borders and means of the superpixels; None if no maps of the data set were planned."""
    made = [one for one in inputs.plan.superpixels.get(dataset, []) if (one / FINISHED).is_file()]
    if not made:
        return None
    prepared = PreparedDataset(inputs.prepared(dataset))
    cases = spread_out(prepared.class_pixels, prepared.classes[0], CASES)
    views = {case: CaseView(prepared, case, whole=True) for case in cases}
    tallest = max(view.height / view.width for view in views.values())
    with canvas(0.6 + 2.2 * len(cases), (4.3 * tallest + 0.25) * len(made) + 0.2) as figure:
        grid = figure.subplots(2 * len(made), len(cases), squeeze=False)
        for index, one in enumerate(made):
            maps, rows = _read(one, prepared)
            name = str(maps.info["recipe"]["algorithm"])
            for column, (case, view) in enumerate(views.items()):
                sample = prepared.cases[case].samples[view.slice]
                upper, lower = grid[2 * index : 2 * index + 2, column]
                # A large slice is shown reduced.
                ids = cv2.resize(maps.map(sample), view.truth.shape[::-1], interpolation=cv2.INTER_NEAREST)
                _show(upper, with_borders(view.image, ids), view)
                _show(lower, means(view.image, ids), view)
                view.outline(lower, view.truth, "white")
                upper.set_title("" if index else shortened(case), fontsize=8)
                lower.set_xlabel(_figures(rows.loc[sample]), fontsize=7.5)
            grid[2 * index, 0].set_ylabel(f"{name}\nborders", fontsize=8.5)
            grid[2 * index + 1, 0].set_ylabel(f"{name}\nmeans", fontsize=8.5)
        return save(
            figure,
            folder,
            f"superpixels_{dataset}",
            title="Superpixels",
            caption=(
                "Above: borders of the superpixels. Below: each superpixel in the mean of its pixels, with the contours"
                " of the classes in white. Number of segments; BR: share of the classes' borders that are found within"
                f" {TOLERANCE} pixels, on large images {DIAGONAL_SHARE:.2%} of the diagonal; UE: under-segmentation"
                " error, 0 is best. Maps are made without labels."
            ),
            dataset=dataset,
        )


def with_borders(image: np.ndarray, ids: np.ndarray) -> np.ndarray:
    """Return an image (H, W) or (H, W, 3) in [0, 1] as RGB, enlarged, with the borders of a map (H, W) painted in."""
    times = max(1, round(SHOWN_SIDE / max(ids.shape)))
    large, picture = (values.repeat(times, axis=0).repeat(times, axis=1) for values in (ids, _rgb(image)))
    picture[borders(large, np.ones(large.shape, bool))] = LINES
    return picture


def means(image: np.ndarray, ids: np.ndarray) -> np.ndarray:
    """Return an image (H, W) or (H, W, 3) as RGB, every superpixel of a map (H, W) in the mean of its pixels."""
    flat, counts = ids.ravel(), np.bincount(ids.ravel())
    sums = [np.bincount(flat, weights=channel.ravel()) for channel in np.moveaxis(_rgb(image), 2, 0)]
    return (np.stack(sums, axis=-1) / np.maximum(counts, 1)[:, None])[ids]


def _read(folder: Path, prepared: PreparedDataset) -> tuple[SuperpixelMaps, pd.DataFrame]:
    file = folder / FINISHED
    recipe = read_recipe(read_json(file)["recipe"], str(file))
    rows = pd.read_csv(folder / QUALITY, dtype={"sample": str})
    return SuperpixelMaps(folder, prepared, recipe), rows.set_index("sample")


def _rgb(image: np.ndarray) -> np.ndarray:
    return np.stack([image] * 3, axis=-1) if image.ndim == 2 else image.copy()


def _show(axes: Axes, picture: np.ndarray, view: CaseView) -> None:
    bare(axes)
    axes.imshow(picture, aspect=view.aspect)
    axes.set_autoscale_on(False)


def _figures(row: pd.Series) -> str:
    if pd.isna(row.boundary_recall):
        return f"{row.segments:.0f} segments"
    return f"{row.segments:.0f} segments, BR {row.boundary_recall:.2f}, UE {row.undersegmentation_error:.2f}"
