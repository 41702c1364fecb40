"""Which cases one run trains, validates and tests on."""

from __future__ import annotations

import math
from pathlib import Path

import pandas as pd

from mmseg_ext.data.prepared import PreparedDataset
from mmseg_ext.suite.errors import InputError
from mmseg_ext.suite.files import hash_value, write_text
from mmseg_ext.suite.task import Task, TaskPart
from mmseg_ext.suite.track import Condition

COLUMNS = ["dataset", "case", "patient", "subset"]


def write_subset(
    task: Task, condition: Condition, seed: int, prepared: dict[str, PreparedDataset], out: Path
) -> pd.DataFrame:
    """Choose the cases of a run and write them to `out`.

    Patients are put in one order per task and seed, and a label fraction takes its first ones: a smaller
    fraction is a subset of a larger one, and methods share it. Validation and test sets are whole.

    Args:
        task: What is trained and tested.
        condition: Holds the label fraction.
        seed: Seed of the run.
        prepared: Prepared data sets of the task by name.
        out: CSV file with the columns dataset, case, patient, subset.

    Returns:
        The table written.

    Raises:
        InputError: If a patient is in two subsets, no case is tested, or a foreground class is in no training
            case.
    """
    where = f"task {task.task}"
    train = _share(_cases(task.train, "train", prepared), condition.label_fraction, [task.task, seed])
    table = pd.concat(
        [train, _cases(task.val, "val", prepared), _cases(task.test, "test", prepared)], ignore_index=True
    )
    for (dataset, patient), subsets in table.groupby(["dataset", "patient"])["subset"].unique().items():
        if len(subsets) > 1:
            field = f"subsets of patient {patient} of {dataset}"
            raise InputError(where, field, sorted(subsets), "one subset a patient")
    for subset in ("train", "test"):
        if not (table["subset"] == subset).any():
            raise InputError(where, f"cases in subset {subset}", 0, "at least one")
    _check_classes(where, task, train, prepared)
    write_text(out, table.to_csv(index=False))
    return table


def _cases(parts: list[TaskPart], subset: str, prepared: dict[str, PreparedDataset]) -> pd.DataFrame:
    """Return the cases of some parts of data sets in the role of `subset`."""
    found = [pd.DataFrame(columns=COLUMNS, dtype=str)]
    for part in parts:
        splits = prepared[part.dataset].splits
        rows = splits[splits["subset"] == part.subset]
        found.append(rows.assign(dataset=part.dataset, subset=subset)[COLUMNS])
    return pd.concat(found, ignore_index=True)


def _share(train: pd.DataFrame, fraction: float, order: list[object]) -> pd.DataFrame:
    """Return the cases of the first patients in the order of a hash: a fraction of all, rounded up."""
    patients = sorted(
        {(dataset, patient) for dataset, patient in zip(train["dataset"], train["patient"], strict=True)},
        key=lambda patient: hash_value([*order, *patient]),
    )
    # A product such as 0.1 * 30 = 3.0000000000000004 means 3.
    chosen = set(patients[: math.ceil(fraction * len(patients) - 1e-9)])
    kept = [(dataset, patient) in chosen for dataset, patient in zip(train["dataset"], train["patient"], strict=True)]
    return train[kept]


def _check_classes(where: str, task: Task, train: pd.DataFrame, prepared: dict[str, PreparedDataset]) -> None:
    pixels = dict.fromkeys(task.classes, 0)
    for dataset, rows in train.groupby("dataset"):
        counts = prepared[str(dataset)].class_pixels
        chosen = counts[counts["case"].isin(rows["case"])]
        for name, count in chosen.groupby("class_name")["pixels"].sum().items():
            pixels[str(name)] += int(count)
    for name in task.classes[1:]:
        if pixels[name] == 0 and name not in task.unseen:
            raise InputError(
                where,
                f"training pixels of class {name}",
                f"0 in {len(train)} cases",
                "at least one training case that has the class",
                "Use a larger label fraction, another seed or another split.",
            )
