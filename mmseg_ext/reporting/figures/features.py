"""What encoders see in some slices, before and after pre-training."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from textwrap import fill

import numpy as np
from matplotlib.axes import Axes

from mmseg_ext.data.prepared import IGNORED
from mmseg_ext.reporting.figures.contact_sheet import class_colours
from mmseg_ext.reporting.figures.style import Drawing, bare, canvas, save
from mmseg_ext.reporting.inputs import Inputs
from mmseg_ext.suite.files import read_json

RECORD, PICTURE = "probe.json", "features.npz"
MOST_METHODS = 8


def draw(inputs: Inputs, folder: Path, track: str, source: str) -> Drawing | None:
    """Draw slices as columns; the image, the encoder before and after each pre-training as rows; None without data.

    Methods stand in the order of their probe, the highest first, and no more than MOST_METHODS of them.
    """
    made = [each for each in inputs.plan.pretrained if (each.track, each.source) == (track, source)]
    made = [each for each in made if (each.folder / PICTURE).is_file()]
    if not made:
        return None
    seed = min(each.seed for each in made)
    by_method = {each.method: each.folder for each in made if each.seed == seed}
    probes = {method: read_json(folder / RECORD)["dsc"] for method, folder in by_method.items()}
    ranked = sorted(probes, key=lambda method: -probes[method]["after"])
    first = _read(by_method[ranked[0]])
    rows = {f"random weights\nprobe DSC {probes[ranked[0]]['before']:.3f}": first["before"]}
    for method in ranked[:MOST_METHODS]:
        title = fill(inputs.method_title(track, method), 22)
        rows[f"{title}\nprobe DSC {probes[method]['after']:.3f}"] = _read(by_method[method])["after"]
    colours = class_colours(sorted({int(class_id) for class_id in np.unique(first["label"])} - {0, IGNORED}))
    count, height, width = first["image"].shape
    with canvas(1.0 + 2.0 * count, (2.05 * height / width + 0.05) * (len(rows) + 1)) as figure:
        grid = figure.subplots(len(rows) + 1, count, squeeze=False)
        for column in range(count):
            _show(grid[0, column], first["image"][column], cmap="gray", vmin=0, vmax=255)
            _outline(grid[0, column], first["label"][column], colours)
            for axes, pictures in zip(grid[1:, column], rows.values(), strict=True):
                _show(axes, pictures[column])
        grid[0, 0].set_ylabel("image and classes", fontsize=8.5)
        for axes, name in zip(grid[1:, 0], rows, strict=True):
            axes.set_ylabel(name, fontsize=8.5)
        more = f" The {MOST_METHODS} methods with the highest." if len(ranked) > MOST_METHODS else ""
        return save(
            figure,
            folder,
            f"features_{track}_{source}",
            title=f"Features before and after pre-training on {source}",
            caption=(
                "Colours are the three main components of the encoder's features at each pixel; they show what it tells"
                " apart, and mean something else in every row. Probe DSC: validation slices segmented by a linear layer"
                f" on the frozen features, pooled over pixels, mean over classes.{more} Seed {seed}."
            ),
            track=track,
        )


def _read(folder: Path) -> dict[str, np.ndarray]:
    with np.load(folder / PICTURE) as stored:
        return dict(stored)


def _show(axes: Axes, picture: np.ndarray, **look: object) -> None:
    bare(axes)
    axes.imshow(picture, interpolation="nearest", **look)
    axes.set_autoscale_on(False)


def _outline(axes: Axes, labels: np.ndarray, colours: Mapping[int, str]) -> None:
    for class_id, colour in colours.items():
        if (labels == class_id).any():
            axes.contour(labels == class_id, levels=[0.5], colors=[colour], linewidths=1.0)
