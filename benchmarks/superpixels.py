"""Superpixel algorithms: time and quality side by side, and images per second of the whole stage.

    python -m benchmarks.superpixels [--images DIR] [--sizes 256,512] [--repeats N] [--out FILE]

Every image is divided by all algorithms in turn before the next one, so that other work on the machine slows all of
them; of the turns the fastest counts, and a ratio is the median over images. Images are generated (a body with organs,
blurred and noisy) or, with `--images`, those of a prepared data set: the slice of a case with most foreground, shrunk
where it is larger than the size. Then `make_maps` runs over a generated data set on one and on two processes.
"""

from __future__ import annotations

import itertools
import statistics
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import pandas as pd
import typer
from rich.console import Console
from rich.progress import track
from scipy.ndimage import gaussian_filter

from mmseg_ext.data.intensity import to_unit
from mmseg_ext.data.phantoms.random_fields import smooth_field
from mmseg_ext.data.prepared import PreparedDataset, finish, write_image
from mmseg_ext.suite.files import write_text
from mmseg_ext.suite.superpixel_recipe import SuperpixelRecipe, read_recipe
from mmseg_ext.superpixels.algorithms import superpixels
from mmseg_ext.superpixels.make import make_maps
from mmseg_ext.superpixels.quality import MapQuality, map_quality

ALGORITHMS = ["slic_skimage", "slic_opencv", "lsc", "seeds", "felzenszwalb"]
"""The first one, the call of SuperCL's released code, is what the others are compared with."""
PHANTOMS, CASES, STAGE_IMAGES, STAGE_SIZE = 8, 12, 96, 512


@dataclass(frozen=True)
class Image:
    """Values (H, W) or (H, W, 3) in [0, 1] and class ids (H, W)."""

    values: np.ndarray
    labels: np.ndarray


def phantom(size: int, index: int) -> Image:
    """Return a body with nine organs: partial volume, uneven grey values, noise with a standard deviation of 0.05."""
    rng = np.random.default_rng(index)
    rows, columns = np.mgrid[:size, :size] / size
    labels = np.zeros((size, size), np.uint8)
    values = np.full((size, size), 0.05)
    shapes = [((0.5, 0.5), (0.42, 0.36), 0.0)]
    shapes += [(rng.uniform(0.25, 0.75, 2), rng.uniform(0.04, 0.13, 2), rng.uniform(0, np.pi)) for _ in range(9)]
    for class_id, ((y, x), (long, short), turn) in enumerate(shapes, 1):
        along = (columns - x) * np.cos(turn) + (rows - y) * np.sin(turn)
        across = (rows - y) * np.cos(turn) - (columns - x) * np.sin(turn)
        inside = (along / long) ** 2 + (across / short) ** 2 < 1
        labels[inside] = class_id
        values[inside] = 0.4 if class_id == 1 else rng.uniform(0.25, 0.9)
    values = gaussian_filter(values, size / 300) + 0.02 * smooth_field(rng, (size, size), (12, 12))
    return Image(np.clip(values + rng.normal(0, 0.05, values.shape), 0, 1), labels)


def prepared_images(prepared: PreparedDataset, size: int) -> Iterator[Image]:
    rows = prepared.samples.set_index("sample")
    for name in np.array(list(prepared.cases))[np.linspace(0, len(prepared.cases) - 1, CASES).round().astype(int)]:
        samples = prepared.cases[name].samples
        labels = prepared.label_volume(name)
        chosen = int((labels > 0).sum(axis=(1, 2)).argmax())
        row = rows.loc[samples[chosen]]
        values = to_unit(prepared.image(samples[chosen]), row.slope, row.intercept, row.low, row.high)
        height, width = values.shape[:2]
        scale = min(1, size / max(height, width))
        target = (round(width * scale), round(height * scale))
        yield Image(
            cv2.resize(values, target, interpolation=cv2.INTER_AREA),
            cv2.resize(labels[chosen], target, interpolation=cv2.INTER_NEAREST),
        )


def compare(images: list[Image], recipes: list[SuperpixelRecipe], repeats: int, title: str) -> str:
    """Return a Markdown table: time, ratio to the first recipe, and means of the figures of quality."""
    seconds: dict[str, list[float]] = {recipe.algorithm: [] for recipe in recipes}
    found: dict[str, list[MapQuality]] = {recipe.algorithm: [] for recipe in recipes}
    for image in track(images, title):
        turns: dict[str, list[float]] = {recipe.algorithm: [] for recipe in recipes}
        for _ in range(repeats):
            for recipe in recipes:
                start = time.perf_counter()
                ids = superpixels(image.values, recipe)
                turns[recipe.algorithm].append(time.perf_counter() - start)
                if len(turns[recipe.algorithm]) == 1:
                    found[recipe.algorithm].append(map_quality(ids, image.labels))
        for name, times in turns.items():
            seconds[name].append(min(times))
    lines = [
        f"{title}, {len(images)} images",
        "",
        "| algorithm | ms an image | times as fast | BR | UE | ASA | segments |",
        "|---|---|---|---|---|---|---|",
    ]
    base = seconds[recipes[0].algorithm]
    for name in seconds:
        ratio = statistics.median(one / other for one, other in zip(base, seconds[name], strict=True))
        qualities = pd.DataFrame(found[name]).astype(float).mean()
        figures = [f"{value:.3f}" for value in qualities.drop("segments")]
        cells = [f"`{name}`", f"{1e3 * statistics.median(seconds[name]):.1f}", f"{ratio:.1f}", *figures]
        lines.append(f"| {' | '.join([*cells, f'{qualities.segments:.0f}'])} |")
    return "\n".join([*lines, ""])


def write_phantoms(root: Path) -> PreparedDataset:
    """Write a prepared data set of phantoms."""
    rows = []
    for index in range(STAGE_IMAGES):
        image, name = phantom(STAGE_SIZE, index), f"image_{index:03d}"
        write_image(root / "images" / f"{name}.png", np.round(65535 * image.values).astype(np.uint16))
        write_image(root / "labels" / f"{name}.png", image.labels)
        rows.append(
            {"sample": name, "case": name, "patient": name, "height": STAGE_SIZE, "width": STAGE_SIZE,
             "slope": 1 / 65535, "intercept": 0, "low": 0, "high": 1}
        )  # fmt: skip
    splits = pd.DataFrame(
        {"case": [row["case"] for row in rows], "patient": [row["case"] for row in rows], "subset": "train"}
    )
    return finish(root, {"dataset": "phantoms", "classes": [], "channels": ["ct"], "is_volume": False}, rows, splits)


def stage_speed(recipes: list[SuperpixelRecipe], repeats: int) -> str:
    """Return a Markdown table of images per second of the whole stage, from start to `maps.json`; best of the turns."""
    lines = [
        f"Whole stage, {STAGE_IMAGES} images of {STAGE_SIZE} x {STAGE_SIZE}",
        "",
        "| algorithm | one process, images/s | two processes, images/s | ratio |",
        "|---|---|---|---|",
    ]
    with tempfile.TemporaryDirectory() as folder:
        prepared = write_phantoms(Path(folder) / "phantoms")
        for recipe in recipes:
            rates = {1: 0.0, 2: 0.0}
            for turn, workers in itertools.product(range(repeats), rates):
                start = time.perf_counter()
                make_maps(prepared, recipe, Path(folder) / f"{recipe.id}_{turn}_{workers}", workers)
                rates[workers] = max(rates[workers], STAGE_IMAGES / (time.perf_counter() - start))
            lines.append(f"| `{recipe.algorithm}` | {rates[1]:.1f} | {rates[2]:.1f} | {rates[2] / rates[1]:.2f} |")
    return "\n".join([*lines, ""])


def main(
    images: Annotated[list[Path] | None, typer.Option(help="Folder of a prepared data set; may be repeated.")] = None,
    sizes: Annotated[str, typer.Option(help="Sides in pixels, separated by commas.")] = "256,512",
    repeats: Annotated[int, typer.Option(min=1, help="Turns of timing; the fastest counts.")] = 3,
    stage: Annotated[bool, typer.Option(help="Also time the whole stage.")] = True,
    out: Annotated[Path | None, typer.Option(help="Markdown file for the tables.")] = None,
) -> None:
    """Time and compare the algorithms."""
    recipes = [read_recipe({"algorithm": name}, "benchmark") for name in ALGORITHMS]
    tables, done = [], 0
    for size in sorted(map(int, sizes.split(","))):
        made = [phantom(size, index) for index in range(PHANTOMS)]
        tables.append(compare(made, recipes, repeats, f"Phantoms, {size} x {size}"))
        for root in images or []:
            prepared = PreparedDataset(root)
            # Images that were not shrunk to the last size would be the same again.
            if prepared.samples[["height", "width"]].max(axis=None) > done:
                title = f"{prepared.name}, longest side at most {size}"
                tables.append(compare(list(prepared_images(prepared, size)), recipes, repeats, title))
        done = size
    if stage:
        tables.append(stage_speed([recipe for recipe in recipes if recipe.algorithm.startswith("slic")], repeats))
    text = "\n".join(tables)
    Console(width=160).print(text, markup=False)
    if out is not None:
        write_text(out, text)


if __name__ == "__main__":
    typer.run(main)
