"""Look for images that a task trains on in one data set and tests on in another."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from mmseg_ext.data.checks.measure import measure_thumbnails
from mmseg_ext.data.checks.near_duplicates import near_duplicates
from mmseg_ext.data.checks.quality import Finding, TaskQuality
from mmseg_ext.data.prepared import PreparedDataset
from mmseg_ext.data.splits import SUBSETS
from mmseg_ext.suite.files import replacing, write_json
from mmseg_ext.suite.task import Task


def check_task(task: Task, prepared: Mapping[str, PreparedDataset], out: Path) -> TaskQuality:
    """Compare all images of a task's training, validation and test sets, whatever data set they come from.

    Args:
        task: The task.
        prepared: Its prepared data sets by name.
        out: Folder for `quality.json` and `near_duplicates.csv`, whose cases are named `<dataset>/<case>`; replaced if
            it exists.

    Returns:
        What was found; a finding is a warning.

    Raises:
        InputError: If a file is missing or unreadable.
    """
    parts, thumbnails = [], []
    for subset in SUBSETS:
        for part in getattr(task, subset):
            data = prepared[part.dataset]
            splits = data.splits[data.splits["subset"] == part.subset]
            rows = data.samples.merge(splits[["case"]], on="case")[["sample", "case", "patient"]]
            thumbnails.append(measure_thumbnails(data, rows["sample"].tolist()))
            parts.append(rows.assign(case=f"{part.dataset}/" + rows["case"], subset=subset))
    pairs = near_duplicates(pd.concat(parts, ignore_index=True), np.concatenate(thumbnails))
    quality = TaskQuality(
        task=task.task,
        content_sha256={name: data.content_hash for name, data in prepared.items()},
        findings=_findings(pairs),
    )
    with replacing(out) as part:
        part.mkdir()
        write_json(part / "quality.json", quality.model_dump(mode="json"))
        pairs.to_csv(part / "near_duplicates.csv", index=False)
    return quality


def _findings(pairs: pd.DataFrame) -> list[Finding]:
    found = []
    for (one, other), rows in pairs.groupby(["subset_a", "subset_b"], sort=False):
        first = rows.iloc[0]
        text = (
            f"{len(rows)} pairs of cases in {one} and {other} share an image that looks the same, "
            f"first {first.case_a} and {first.case_b}"
        )
        cases = sorted({*rows["case_a"], *rows["case_b"]})
        found.append(Finding(kind="near_duplicates", text=text, cases=cases))
    return found
