"""Values of a source's label files as class ids."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from mmseg_ext.data.prepared import IGNORED
from mmseg_ext.suite.dataset_card import DatasetCard
from mmseg_ext.suite.errors import InputError


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
    present, inverse = np.unique(values, return_inverse=True)
    declared = {value: class_id for class_id, spec in enumerate(card.classes) for value in spec.values}
    declared |= dict.fromkeys(card.ignored_values, IGNORED)
    for value in present.tolist():
        if value != round(value):
            raise InputError(file, "label value", value, "whole numbers")
        if value not in declared and card.other_values == "refuse":
            expected = f"a value that a class declares: one of {sorted(declared)}"
            raise InputError(file, "label value", int(value), expected, "Add it to `classes` of the data set card.")
    ids = np.array([declared.get(value, 0) for value in present.tolist()], np.uint8)
    return ids[inverse].reshape(values.shape)
