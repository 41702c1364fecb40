"""Free disk: working directories of finished runs."""

from __future__ import annotations

import shutil
from pathlib import Path

from mmseg_ext.suite.files import read_json
from mmseg_ext.suite.paths import Paths


def clean_checkpoints(paths: Paths, dry_run: bool = False) -> dict[Path, int]:
    """Remove the working directory of every finished run and pre-training.

    One is finished when its folder holds `run.json` or `record.json` (written last) with the key that names the
    directory. What a user reads (weights, predictions, curves, scores) lies in that folder and stays; directories of
    what is not finished, or belongs to another setting, stay as well.

    Args:
        paths: Where results lie.
        dry_run: Measure, but remove nothing.

    Returns:
        Bytes freed, by working directory.
    """
    freed = {}
    patterns = ("runs/*/*/*/*/seed_*/run.json", "pretrain/*/*/seed_*/record.json")
    for record in sorted(file for pattern in patterns for file in paths.results.glob(pattern)):
        work = paths.work(read_json(record)["key"])
        if work.is_dir():
            freed[work] = sum(file.stat().st_size for file in work.rglob("*") if file.is_file())
            if not dry_run:
                shutil.rmtree(work)
    return freed
