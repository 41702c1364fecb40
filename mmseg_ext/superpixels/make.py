"""Make the superpixel maps of a prepared data set."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import asdict
from functools import lru_cache, partial
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import pandas as pd

from mmseg_ext.data.intensity import to_unit
from mmseg_ext.data.prepared import PreparedDataset
from mmseg_ext.data.progress import progress
from mmseg_ext.suite.errors import InputError
from mmseg_ext.suite.files import hash_tree, read_json, write_json, write_text
from mmseg_ext.suite.processes import in_processes
from mmseg_ext.suite.stages.superpixels import code_key
from mmseg_ext.suite.superpixel_recipe import SuperpixelRecipe
from mmseg_ext.superpixels.algorithms import superpixels
from mmseg_ext.superpixels.quality import map_quality
from mmseg_ext.superpixels.store import FINISHED, QUALITY, STARTED, SuperpixelMaps, read_ids, write_ids

CHUNK = 16
"""Samples that travel to a process at once."""
_LIBRARY = {"slic_skimage": "scikit-image", "felzenszwalb": "scikit-image"}
"""The distribution an algorithm comes from where it is not OpenCV."""


class _Job(NamedTuple):
    sample: str
    height: int
    width: int
    slope: float
    intercept: float
    low: float
    high: float


def make_maps(prepared: PreparedDataset, recipe: SuperpixelRecipe, folder: Path, workers: int = 1) -> SuperpixelMaps:
    """Make a map for every sample; go on where an earlier call with the same recipe, data and code was stopped.

    Args:
        prepared: The data set; its images are divided as networks see them, between `low` and `high`.
        recipe: Algorithm and settings.
        folder: Folder of the maps; emptied if what is in it was made otherwise.
        workers: Processes that share the samples, each on one core.

    Raises:
        InputError: If an image is missing or cannot be divided by the recipe.
    """
    started = _provenance(prepared, recipe)
    if folder.is_dir() and not _same(folder / STARTED, started):
        shutil.rmtree(folder)
    write_json(folder / STARTED, started)
    (folder / FINISHED).unlink(missing_ok=True)
    jobs = [_Job(*row) for row in prepared.samples[list(_Job._fields)].itertuples(index=False)]
    make = partial(_make_one, prepared.root, prepared.content_hash, recipe, folder)
    made = in_processes(make, jobs, workers, CHUNK)
    rows = pd.DataFrame(list(progress(made, f"superpixels {prepared.name}", total=len(jobs))))
    write_text(folder / QUALITY, rows.to_csv(index=False, lineterminator="\n"))
    maps = [folder / f"{job.sample}.png" for job in jobs]
    write_json(
        folder / FINISHED,
        {**started, "samples": len(jobs), "quality": dict(_summary(rows)), "maps_sha256": hash_tree(folder, maps)},
    )
    return SuperpixelMaps(folder, prepared, recipe)


def _provenance(prepared: PreparedDataset, recipe: SuperpixelRecipe) -> dict[str, Any]:
    """Return all that determines the maps."""
    library = _LIBRARY.get(recipe.algorithm)
    return {
        "dataset": prepared.name,
        "data_sha256": prepared.content_hash,
        "recipe": recipe.model_dump(mode="json"),
        "recipe_id": recipe.id,
        "code": code_key(),
        "library": f"{library} {version(library)}" if library else f"OpenCV {cv2.__version__}",
    }


def _same(file: Path, started: dict[str, Any]) -> bool:
    return file.is_file() and read_json(file) == started


def _make_one(root: Path, content_hash: str, recipe: SuperpixelRecipe, folder: Path, job: _Job) -> dict[str, Any]:
    """Make the map of a sample unless it is there, and return its row of the table."""
    prepared = _opened(root, content_hash)
    path = folder / f"{job.sample}.png"
    if not path.is_file():
        image = prepared.image(job.sample)
        try:
            ids = superpixels(to_unit(image, job.slope, job.intercept, job.low, job.high), recipe)
        except InputError as error:
            file = prepared.root / "images" / f"{job.sample}.png"
            raise InputError(file, error.field, error.found, error.expected, error.hint) from None
        write_ids(path, ids)
    ids = read_ids(path, (job.height, job.width))
    return {"sample": job.sample, **asdict(map_quality(ids, prepared.label(job.sample)))}


@lru_cache(maxsize=1)
def _opened(root: Path, content_hash: str) -> PreparedDataset:
    """Open a data set once a process; its content hash is there so that another one of the same path is read anew."""
    return PreparedDataset(root)


def _summary(rows: pd.DataFrame) -> Iterator[tuple[str, Any]]:
    """Yield the spread of the number of segments and, where there are labels, the means of the other figures."""
    segments = rows["segments"]
    yield "segments", {"low": int(segments.min()), "median": float(segments.median()), "high": int(segments.max())}
    for name in ("boundary_recall", "undersegmentation_error", "achievable_accuracy"):
        values = rows[name].astype(float)
        yield name, None if values.isna().all() else float(values.mean())
