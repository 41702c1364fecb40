"""What label noise does to a run: how it does near fuzzy and sharp borders, what it learnt by heart, what it noticed.

One row a case and measure:

| subset | measure | what |
|---|---|---|
| test | `dice_fuzzy`, `dice_sharp` | Dice to the truth within the fuzzy and the sharp band around the true border |
| test | `area_ratio` | predicted by true foreground |
| train | `memorisation_gap` | of wrongly labelled pixels, share predicted as labelled less share predicted as is true |
| train | `auroc_fuzzy` | area under the ROC curve of the fuzzy weight for "this pixel is wrongly labelled" |
| train | `auroc_confidence` | likewise of 1 - confidence |

What is not defined (no such band, no wrong pixel, no such map) has no row.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import rankdata

from mmseg_ext.data.border import bands, blur_of
from mmseg_ext.data.prepared import IGNORED, Case, PreparedDataset, read_map
from mmseg_ext.evaluation.cases import read_test_cases
from mmseg_ext.evaluation.predictions import read_prediction
from mmseg_ext.suite.matrix import RunId
from mmseg_ext.suite.task import Task

MEASURES = ("dice_fuzzy", "dice_sharp", "area_ratio", "memorisation_gap", "auroc_fuzzy", "auroc_confidence")
COLUMNS = ["track", "task", "method", "condition", "seed", "subset", "dataset", "case", "patient", "measure", "value"]
Mask = NDArray[np.bool_]


def noise_table(
    run: RunId,
    folder: Path,
    prepared: Mapping[str, PreparedDataset],
    subset: Path,
    task: Task,
    variant: str,
    labels: Mapping[str, Path],
) -> pd.DataFrame:
    """Measure a finished run.

    Args:
        run: Its name.
        folder: Its folder.
        prepared: Prepared data sets by name.
        subset: Table of the run's cases.
        task: Its task, with one foreground class.
        variant: Which predictions of the test cases to measure.
        labels: Folder of the noisy labels of each data set; empty where the run was trained on true ones.

    Returns:
        COLUMNS.

    Raises:
        InputError: If a prediction, label or map is missing.
    """
    rows: list[dict[str, Any]] = []
    for case in read_test_cases(subset, task, dict(prepared)):
        predicted = read_prediction(folder / "predictions" / variant / case.dataset, case.case) == 1
        found = border_measures(prepared[case.dataset], case, predicted)
        rows += _rows(run, "test", case, found)
    maps = folder / "predictions" / "training_maps"
    for dataset, noisy in labels.items():
        relabelled = PreparedDataset(prepared[dataset].root, noisy)
        for case in _training_cases(prepared[dataset], subset):
            predicted = read_prediction(folder / "predictions" / "training" / dataset, case.case) == 1
            seen = {path.name: _stack(path / dataset, case) for path in sorted(maps.glob("*"))}
            pair = prepared[dataset].label_volume(case.case), relabelled.label_volume(case.case)
            rows += _rows(run, "train", case, memory_measures(*pair, predicted, seen))
    return pd.DataFrame(rows, columns=COLUMNS)


def border_measures(data: PreparedDataset, case: Case, predicted: Mask) -> dict[str, float]:
    """Return what is defined of `dice_fuzzy`, `dice_sharp` and `area_ratio` for a case, predicted (slices, H, W)."""
    labels = data.label_volume(case.case)
    truth, predicted = labels == 1, predicted & (labels != IGNORED)
    near = np.zeros((2, *truth.shape), bool)
    for index, sample in enumerate(case.samples):
        if truth[index].any() and not truth[index].all():
            near[:, index] = bands(truth[index], blur_of(data, sample))
    found = {}
    for name, band in zip(("dice_fuzzy", "dice_sharp"), near, strict=True):
        total = int((truth & band).sum()) + int((predicted & band).sum())
        if total:
            found[name] = 2 * int((truth & predicted & band).sum()) / total
    if truth.any():
        found["area_ratio"] = int(predicted.sum()) / int(truth.sum())
    return found


def memory_measures(
    truth: NDArray[np.uint8], noisy: NDArray[np.uint8], predicted: Mask, maps: Mapping[str, NDArray[np.uint8]]
) -> dict[str, float]:
    """Return what is defined of the measures of a training case.

    Args:
        truth: True class ids (slices, H, W).
        noisy: The labels it was trained with.
        predicted: The prediction.
        maps: `fuzzy` and `confidence`, 0 to 255 for 0 to 1, as far as there are any.
    """
    counted = (truth != IGNORED) & (noisy != IGNORED)
    wrong = counted & (truth != noisy)
    if not wrong.any():
        return {}
    as_labelled = float((predicted == (noisy == 1))[wrong].mean())
    found = {"memorisation_gap": 2 * as_labelled - 1}
    if wrong.sum() < counted.sum():
        if "fuzzy" in maps:
            found["auroc_fuzzy"] = auroc(maps["fuzzy"][counted], wrong[counted])
        if "confidence" in maps:
            found["auroc_confidence"] = auroc(255 - maps["confidence"][counted], wrong[counted])
    return found


def auroc(scores: NDArray[Any], positive: Mask) -> float:
    """Return the probability that a positive has a larger score than a negative, ties counting one half.

    Args:
        scores: (P,) of any ordered type.
        positive: (P,), some and not all of them true.
    """
    ranks = rankdata(scores)
    hits, misses = int(positive.sum()), int((~positive).sum())
    return float((ranks[positive].sum() - hits * (hits + 1) / 2) / (hits * misses))


def _rows(run: RunId, subset: str, case: Case, found: Mapping[str, float]) -> Iterator[dict[str, Any]]:
    identity = {name: getattr(run, name) for name in ("track", "task", "method", "condition", "seed")}
    for measure, value in found.items():
        where = {"subset": subset, "dataset": case.dataset, "case": case.case, "patient": case.patient}
        yield {**identity, **where, "measure": measure, "value": value}


def _training_cases(data: PreparedDataset, subset: Path) -> list[Case]:
    table = pd.read_csv(subset, dtype=str)
    chosen = table[(table["dataset"] == data.name) & (table["subset"] == "train")]
    return [data.cases[name] for name in chosen["case"]]


def _stack(folder: Path, case: Case) -> NDArray[np.uint8]:
    return np.stack([read_map(folder / f"{sample}.png") for sample in case.samples])
