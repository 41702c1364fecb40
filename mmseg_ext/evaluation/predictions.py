"""Predicted label maps on disk: one compressed file a case."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mmseg_ext.suite.files import hash_value, replacing


def write_prediction(folder: Path, case: str, labels: NDArray[np.uint8]) -> None:
    """Write the class ids (slices, H, W) of a case as `<case>.npz`."""
    with replacing(folder / f"{case}.npz") as part:
        np.savez_compressed(part, labels=labels)


def read_prediction(folder: Path, case: str) -> NDArray[np.uint8]:
    """Read the class ids (slices, H, W) of a case."""
    with np.load(folder / f"{case}.npz", allow_pickle=False) as stored:
        labels: NDArray[np.uint8] = stored["labels"]
    return labels


def hash_predictions(folder: Path) -> str:
    """Return one SHA-256 over the names and arrays of a folder's predictions."""
    rows = []
    for case in sorted(path.stem for path in folder.glob("*.npz")):
        labels = read_prediction(folder, case)
        rows.append((case, labels.shape, hashlib.sha256(labels.tobytes()).hexdigest()))
    return hash_value(rows)
