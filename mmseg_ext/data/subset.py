"""Which cases one run trains, validates and tests on."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from mmseg_ext.data.prepared import PreparedDataset
from mmseg_ext.data.splits import GROUP_KEYS, positions
from mmseg_ext.suite.errors import InputError
from mmseg_ext.suite.files import hash_value, write_text
from mmseg_ext.suite.task import Task, TaskPart
from mmseg_ext.suite.track import Condition

COLUMNS = ["dataset", "case", "patient", "subset"]


def write_subset(
    task: Task,
    condition: Condition,
    seed: int,
    prepared: dict[str, PreparedDataset],
    out: Path,
    lists: Mapping[str, Path] | None = None,
) -> pd.DataFrame:
    """Choose the cases of a run and write them to `out`.

    Patients are put in one order per task and seed, and a label fraction takes its first ones: a smaller
    fraction is a subset of a larger one, and methods share it. A published list takes the patients it names,
    whatever the seed. Validation and test sets are whole.

    Args:
        task: What is trained and tested.
        condition: Holds the label fraction, or names the published list.
        seed: Seed of the run.
        prepared: Prepared data sets of the task by name.
        out: CSV file with the columns dataset, case, patient, subset.
        lists: Published lists by data set, if the condition names them; see `Catalogue.label_lists`.

    Returns:
        The table written.

    Raises:
        InputError: If a patient is in two subsets, no case is tested, a foreground class is in no training case, or
            a published list is empty or names a patient that is not trained on.
    """
    where = f"task {task.task}"
    train = _cases(task.train, "train", prepared)
    if lists:
        train = pd.concat([_listed(train, name, path, prepared[name]) for name, path in lists.items()])
    else:
        train = _share(train, condition.label_fraction, [task.task, seed])
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


def _listed(train: pd.DataFrame, dataset: str, path: Path, prepared: PreparedDataset) -> pd.DataFrame:
    """Return the training cases of a data set whose patients, or positions in the order of names, a list has."""
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    if list(table.columns) not in [[key] for key in GROUP_KEYS]:
        raise InputError(path, "columns", list(table.columns), f"one column: {' or '.join(GROUP_KEYS)}")
    if table.empty:
        raise InputError(path, "rows", 0, f"at least one labelled {table.columns[0]} of {dataset}")
    key = table.columns[0]
    rows = train[train["dataset"] == dataset]
    ranks = positions(prepared.splits["case"])
    names = rows["patient"] if key == "patient" else rows["case"].map(ranks)
    unknown = sorted(set(table[key]) - set(names))
    if unknown:
        hint = "The list belongs to the split it was published with; is that the split on the card?"
        raise InputError(path, key, unknown[0], f"a {key} in the training set of {dataset}", hint)
    return rows[names.isin(table[key])]


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
