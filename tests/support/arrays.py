"""HDF5 and NPZ files."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np


def write_arrays(path: Path, **arrays: np.ndarray) -> Path:
    """Write named arrays in the format the file's ending says, packed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".npz":
        np.savez_compressed(path, **arrays)
        return path
    with h5py.File(path, "w") as opened:
        for name, values in arrays.items():
            opened.create_dataset(name, data=values, compression="gzip" if np.ndim(values) else None)
    return path
