"""Free disk: working directories of finished runs."""

from __future__ import annotations

import shutil
from pathlib import Path

from mmseg_ext.suite.files import read_json
from mmseg_ext.suite.paths import Paths


def clean_checkpoints(paths: Paths, dry_run: bool = False) -> dict[Path, int]:
    """Remove the working directory of every finished run.

    A run is finished when its folder holds `run.json` (written last) with the key that names the directory. What a
    user reads (weights, predictions, curves, scores) lies in the run folder and stays; directories of runs that
    are not finished, or belong to another setting, stay as well.

    Args:
        paths: Where results lie.
        dry_run: Measure, but remove nothing.

    Returns:
        Bytes freed, by working directory.
    """
    freed = {}
    for record in sorted(paths.results.glob("runs/*/*/*/*/seed_*/run.json")):
        work = paths.work(read_json(record)["key"])
        if work.is_dir():
            freed[work] = sum(file.stat().st_size for file in work.rglob("*") if file.is_file())
            if not dry_run:
                shutil.rmtree(work)
    return freed
