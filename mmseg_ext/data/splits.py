"""Who is trained on, validated on and tested on: split files and derived splits."""

from __future__ import annotations

import math
from pathlib import Path

import pandas as pd

from mmseg_ext.data.convert.pairing import Pair
from mmseg_ext.suite.dataset_card import DatasetCard, DerivedSplit
from mmseg_ext.suite.errors import InputError
from mmseg_ext.suite.files import hash_value

COLUMNS = ["case", "patient", "subset"]
SUBSETS = ("train", "val", "test")


def make_split(card: DatasetCard, pairs: list[Pair], split_file: Path | None) -> pd.DataFrame:
    """Return the split of a data set's cases.

    Args:
        card: The data set card.
        pairs: The cases.
        split_file: The committed split, or None for a derived one.

    Returns:
        Columns case, patient, subset; a row a case, in the order of `pairs`.

    Raises:
        InputError: If the split file and the data disagree, a patient is in two subsets, or the training or
            test set is empty.
    """
    if split_file is not None:
        return read_split(split_file, pairs)
    assert isinstance(card.split, DerivedSplit)
    return derive_split(card.split, pairs, f"data set {card.dataset}")


def read_split(path: Path, pairs: list[Pair]) -> pd.DataFrame:
    """Read a split file and check it against the data; see `make_split`."""
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    if list(table.columns) != COLUMNS:
        raise InputError(path, "columns", list(table.columns), f"the columns {', '.join(COLUMNS)}")
    for row, (case, subset) in enumerate(zip(table["case"], table["subset"], strict=True), start=2):
        if subset not in SUBSETS:
            raise InputError(path, f"subset in line {row} (case {case})", subset, f"one of {', '.join(SUBSETS)}")
    repeated = table.loc[table["case"].duplicated(), "case"]
    if len(repeated):
        raise InputError(path, "case", repeated.iloc[0], "every case once")
    cases = {pair.case: pair for pair in pairs}
    unlisted = sorted(cases.keys() - set(table["case"]))
    if unlisted:
        raise InputError(path, "case", f"no row for {unlisted[0]}", "a row for every case of the data")
    unknown = sorted(set(table["case"]) - cases.keys())
    if unknown:
        raise InputError(path, "case", unknown[0], "a case of the data", "Is a file missing, or is it skipped?")
    for case, patient in zip(table["case"], table["patient"], strict=True):
        if patient != cases[case].patient:
            raise InputError(
                path, f"patient of case {case}", patient, f"the patient of the data, {cases[case].patient!r}"
            )
    _check_subsets(path, table)
    return table.set_index("case").loc[list(cases)].reset_index()


def derive_split(split: DerivedSplit, pairs: list[Pair], source: str) -> pd.DataFrame:
    """Draw a split by patient: patients in the order of a hash of seed and name, cut at the fractions.

    Args:
        split: Fractions and seed.
        pairs: The cases.
        source: What is split, for error messages.

    Raises:
        InputError: If there are too few patients for a training and a test set.
    """
    patients = {pair.patient for pair in pairs}
    ranked = sorted(patients, key=lambda patient: hash_value([split.seed, patient]))
    # Cutting at rounded cumulated fractions makes the counts add up.
    first_cut = math.floor(split.train * len(ranked) + 0.5)
    second_cut = math.floor((split.train + split.val) * len(ranked) + 0.5)
    subset = {
        patient: "train" if rank < first_cut else "val" if rank < second_cut else "test"
        for rank, patient in enumerate(ranked)
    }
    table = pd.DataFrame([(pair.case, pair.patient, subset[pair.patient]) for pair in pairs], columns=COLUMNS)
    _check_subsets(source, table)
    return table


def _check_subsets(source: Path | str, table: pd.DataFrame) -> None:
    subsets = table.groupby("patient")["subset"].unique()
    for patient, found in subsets.items():
        if len(found) > 1:
            raise InputError(source, f"subsets of patient {patient}", sorted(found), "one subset a patient")
    for subset in ("train", "test"):
        if not (table["subset"] == subset).any():
            raise InputError(source, f"cases in subset {subset}", 0, "at least one")
