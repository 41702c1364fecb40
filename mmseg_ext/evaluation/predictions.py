"""Predicted label maps on disk: one compressed file a case."""

from __future__ import annotations

import hashlib
import zipfile
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mmseg_ext.suite.errors import InputError
from mmseg_ext.suite.files import hash_value, replacing

TRAIN_AGAIN = "Run the train stage of this run again."
"""What to do about a prediction that cannot be used."""

_KEY = "labels"


def write_prediction(folder: Path, case: str, labels: NDArray[np.uint8]) -> None:
    """Write the class ids of a case as `<case>.npz`, whole or not at all.

    Args:
        folder: `predictions/<variant>/<dataset>` of a run.
        case: Name of the case.
        labels: Class ids (slices, H, W) uint8 at the prepared size; an image is one slice.

    Raises:
        InputError: If the array is of another type or number of dimensions; nothing is written then.
    """
    path = folder / f"{case}.npz"
    _check(path, labels)
    with replacing(path) as part:
        np.savez_compressed(part, labels=labels)


def read_prediction(folder: Path, case: str) -> NDArray[np.uint8]:
    """Read the class ids of a case: (slices, H, W) uint8.

    Raises:
        InputError: If the file is missing, unreadable, or holds something else.
    """
    path = require_prediction(folder, case)
    try:
        with np.load(path, allow_pickle=False) as stored:
            labels: NDArray[np.uint8] = stored[_KEY]
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        found = f"{type(error).__name__}: {error}"
        expected = f"an .npz file with the array {_KEY!r}"
        raise InputError(path, "content", found, expected, TRAIN_AGAIN) from error
    _check(path, labels)
    return labels


def require_prediction(folder: Path, case: str) -> Path:
    """Return the file of a prediction.

    Raises:
        InputError: If there is none.
    """
    path = folder / f"{case}.npz"
    if not path.is_file():
        raise InputError(path, "file", "nothing", "the prediction of a test case", TRAIN_AGAIN)
    return path


def hash_predictions(folder: Path) -> str:
    """Return one SHA-256 over the names and arrays of a folder's predictions, whatever their compression.

    Raises:
        InputError: If the folder holds no prediction, or one that cannot be read.
    """
    cases = sorted(path.stem for path in folder.glob("*.npz"))
    if not cases:
        raise InputError(folder, "predictions", "none", "at least one .npz file")
    rows = []
    for case in cases:
        labels = read_prediction(folder, case)
        rows.append((case, labels.shape, hashlib.sha256(labels.tobytes()).hexdigest()))
    return hash_value(rows)


def _check(path: Path, labels: NDArray[np.uint8]) -> None:
    if labels.dtype != np.uint8:
        raise InputError(path, f"{_KEY}.dtype", str(labels.dtype), "uint8")
    if labels.ndim != 3:
        raise InputError(path, f"{_KEY}.shape", labels.shape, "three axes: slices, rows, columns")
