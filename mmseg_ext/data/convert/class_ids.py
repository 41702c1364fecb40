"""Values of a source's label files as class ids."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from mmseg_ext.data.prepared import IGNORED
from mmseg_ext.suite.dataset_card import DatasetCard
from mmseg_ext.suite.errors import InputError

_TABLE = 2**16
"""Whole label values below this are looked up in a table."""


def to_class_ids(values: np.ndarray, card: DatasetCard, file: Path) -> np.ndarray:
    """Return a label map as class ids.

    Args:
        values: Values of the source's label file, of any shape.
        card: Its classes name the values that mean them; it says what becomes of other values.
        file: The label file, for error messages.

    Returns:
        uint8 array of the same shape; 255 for ignored values.

    Raises:
        InputError: For a value that is no whole number, or that the card does not allow.
    """
    if values.dtype.kind in "iu" and values.size and values.min() >= 0 and values.max() < _TABLE:
        # Sorting all pixels, which tells the values of any other kind, takes many times as long.
        present = np.flatnonzero(np.bincount(values.ravel()))
        table = np.zeros(_TABLE, np.uint8)
        table[present] = _ids(present, card, file)
        return table[values]
    present, inverse = np.unique(values, return_inverse=True)
    return _ids(present, card, file)[inverse].reshape(values.shape)


def check_declared(values: Iterable[float], card: DatasetCard, file: Path, field: str = "label value") -> None:
    """Check that a card allows some label values.

    Args:
        values: The values.
        card: The data set card.
        file: The file they stand in.
        field: What they are there.

    Raises:
        InputError: For a value that is no whole number, or that the card does not allow.
    """
    declared = _declared(card)
    for value in values:
        if value != round(value):
            raise InputError(file, field, value, "whole numbers")
        if value not in declared and card.other_values == "refuse":
            expected = f"a value that a class declares: one of {sorted(declared)}"
            raise InputError(file, field, int(value), expected, "Add it to `classes` of the data set card.")


def _declared(card: DatasetCard) -> dict[float, int]:
    """Return the class id of every value that the card names."""
    declared = {value: class_id for class_id, spec in enumerate(card.classes) for value in spec.values}
    return declared | dict.fromkeys(card.ignored_values, IGNORED)


def _ids(present: np.ndarray, card: DatasetCard, file: Path) -> np.ndarray:
    """Return the class id of each of the values that occur."""
    check_declared(present.tolist(), card, file)
    declared = _declared(card)
    return np.array([declared.get(value, 0) for value in present.tolist()], np.uint8)
