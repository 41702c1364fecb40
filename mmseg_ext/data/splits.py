"""Who is trained on, validated on and tested on: split files and derived splits."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

import pandas as pd

from mmseg_ext.data.convert.pairing import Pair
from mmseg_ext.suite.dataset_card import DatasetCard, DerivedSplit, ListSplit, PathSplit
from mmseg_ext.suite.errors import InputError
from mmseg_ext.suite.files import hash_value

COLUMNS = ["case", "patient", "subset"]
SUBSETS = ("train", "val", "test")
GROUP_KEYS = ("patient", "position")


def make_split(card: DatasetCard, pairs: list[Pair], split_file: Path | None, root: Path) -> pd.DataFrame:
    """Return the split of a data set's cases.

    Args:
        card: The data set card.
        pairs: The cases.
        split_file: The committed split, if the card names one.
        root: Folder of the source's unpacked files.

    Returns:
        Columns case, patient, subset; a row a case, in the order of `pairs`.

    Raises:
        InputError: If the split and the data disagree, a patient is in two subsets, or a set that should have
            cases is empty.
    """
    if split_file is not None:
        return read_split(split_file, pairs)
    where = f"data set {card.dataset}"
    if isinstance(card.split, PathSplit):
        return split_by_path(card.split, pairs, root, where)
    if isinstance(card.split, ListSplit):
        return split_by_lists(card.split, pairs, root)
    assert isinstance(card.split, DerivedSplit)
    return derive_split(card.split, pairs, where)


def read_split(path: Path, pairs: list[Pair]) -> pd.DataFrame:
    """Read a split file (see `SplitFile`) and check it against the data; see `make_split`."""
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    if list(table.columns) not in (COLUMNS, *([key, "subset"] for key in GROUP_KEYS)):
        expected = f"the columns {', '.join(COLUMNS)}; or one of {' and '.join(GROUP_KEYS)}, with subset"
        raise InputError(path, "columns", list(table.columns), expected)
    key = table.columns[0]
    for row, (name, subset) in enumerate(zip(table[key], table["subset"], strict=True), start=2):
        if subset not in SUBSETS:
            raise InputError(path, f"subset in line {row} ({key} {name})", subset, f"one of {', '.join(SUBSETS)}")
    repeated = table.loc[table[key].duplicated(), key]
    if len(repeated):
        raise InputError(path, key, repeated.iloc[0], f"every {key} once")
    subsets = dict(zip(table[key], table["subset"], strict=True))
    names = {"case": [p.case for p in pairs], "patient": [p.patient for p in pairs], "position": _positions(pairs)}[key]
    others = subsets.pop("*", None) if key in GROUP_KEYS else None
    unlisted = sorted(set(names) - subsets.keys())
    if unlisted and others is None:
        raise InputError(path, key, f"no row for {unlisted[0]}", f"a row for every {key} of the data")
    unknown = sorted(subsets.keys() - set(names))
    if unknown:
        raise InputError(path, key, unknown[0], f"a {key} of the data", "Is a file missing, or is it skipped?")
    if key == "case":
        patients = {pair.case: pair.patient for pair in pairs}
        for case, patient in zip(table["case"], table["patient"], strict=True):
            if patient != patients[case]:
                expected = f"the patient of the data, {patients[case]!r}"
                raise InputError(path, f"patient of case {case}", patient, expected)
    return _table(path, pairs, [subsets.get(name, str(others)) for name in names], ("train", "test"))


def split_by_path(split: PathSplit, pairs: list[Pair], root: Path, source: str) -> pd.DataFrame:
    """Give every case the subset whose pattern its image's path below `root` matches.

    Raises:
        InputError: If a path matches no subset or several, or a subset with patterns is empty.
    """
    patterns = {subset: getattr(split, subset) for subset in SUBSETS}
    subsets = []
    for pair in pairs:
        path = pair.image.relative_to(root).as_posix()
        found = [name for name, globs in patterns.items() if any(fnmatchcase(path, glob) for glob in globs)]
        if len(found) != 1:
            raise InputError(pair.image, "subset", found, f"one subset whose pattern matches {path}")
        subsets += found
    return _table(source, pairs, subsets, [name for name, globs in patterns.items() if globs])


def split_by_lists(split: ListSplit, pairs: list[Pair], root: Path) -> pd.DataFrame:
    """Give every case the subset whose list names it; the rest goes where the card says.

    A list may name cases the data do not have: sources list images without labels too.

    Raises:
        InputError: If a list is missing, two lists name one case, or a subset is empty.
    """
    subsets: dict[str, str] = {}
    for subset in SUBSETS:
        for name in getattr(split, subset):
            if not (root / name).is_file():
                raise InputError(root / name, "file", "nothing", f"the source's list of {subset} cases")
            for case in (root / name).read_text(encoding="utf-8").split():
                if subsets.setdefault(case, subset) != subset:
                    raise InputError(root / name, "case", case, f"a case in no other list, found in {subsets[case]}")
    wanted = [subset for subset in SUBSETS if getattr(split, subset) or subset == split.rest]
    return _table(root, pairs, [subsets.get(pair.case, split.rest) for pair in pairs], wanted)


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
    subset_of = {
        patient: "train" if rank < first_cut else "val" if rank < second_cut else "test"
        for rank, patient in enumerate(ranked)
    }
    return _table(source, pairs, [subset_of[pair.patient] for pair in pairs], ("train", "test"))


def positions(cases: Iterable[str]) -> dict[str, str]:
    """Return the place of every case in the order of names, from 0, as split files write it."""
    return {case: str(rank) for rank, case in enumerate(sorted(cases))}


def _positions(pairs: list[Pair]) -> list[str]:
    ranks = positions(pair.case for pair in pairs)
    return [ranks[pair.case] for pair in pairs]


def _table(source: Path | str, pairs: list[Pair], subset_of: list[str], needed: Sequence[str]) -> pd.DataFrame:
    """Return a checked split: no patient in two subsets, and the needed subsets not empty."""
    rows = [(pair.case, pair.patient, subset) for pair, subset in zip(pairs, subset_of, strict=True)]
    table = pd.DataFrame(rows, columns=COLUMNS)
    subsets = table.groupby("patient")["subset"].unique()
    for patient, found in subsets.items():
        if len(found) > 1:
            raise InputError(source, f"subsets of patient {patient}", sorted(found), "one subset a patient")
    for subset in needed:
        if not (table["subset"] == subset).any():
            raise InputError(source, f"cases in subset {subset}", 0, "at least one")
    return table
