"""Arrays in HDF5 and NPZ files, by name."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

import h5py
import numpy as np

from mmseg_ext.suite.errors import InputError

HDF5_ENDINGS = (".h5", ".hdf5")
ENDINGS = (".npz", *HDF5_ENDINGS)
_UNREADABLE = (OSError, ValueError, KeyError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error)
_HEADERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}


def read_array(path: Path, name: str) -> np.ndarray:
    """Return a whole array.

    Args:
        path: A file with one of ENDINGS.
        name: The array's name; in HDF5 files groups are put before it with slashes.

    Raises:
        InputError: If the file is unreadable, has no such array, or the array holds no numbers. Pickled objects are
            never loaded.
    """
    with _clear_errors(path):
        if path.name.lower().endswith(HDF5_ENDINGS):
            with h5py.File(path) as opened:
                return _numbers(np.asarray(_dataset(opened, path, name)), path, name)
        with np.load(path, allow_pickle=False) as opened:
            if name not in opened.files:
                raise _missing(path, name, opened.files)
            return _numbers(opened[name], path, name)


def read_item(path: Path, name: str, index: int) -> np.ndarray:
    """Return one item of an array's first axis; see `read_array` for arguments and errors.

    NPZ files can only be read whole: the arrays read last are kept, so items should be asked for in order.
    """
    if not path.name.lower().endswith(HDF5_ENDINGS):
        return _kept(path, name, path.stat().st_mtime_ns)[index]
    with _clear_errors(path), h5py.File(path) as opened:
        return _numbers(np.asarray(_dataset(opened, path, name)[index]), path, name)


def array_shape(path: Path, name: str) -> tuple[int, ...]:
    """Return the shape of an array without reading it; see `read_array` for arguments and errors."""
    with _clear_errors(path):
        if path.name.lower().endswith(HDF5_ENDINGS):
            with h5py.File(path) as opened:
                return tuple(_dataset(opened, path, name).shape)
        with zipfile.ZipFile(path) as opened:
            members = [member.removesuffix(".npy") for member in opened.namelist()]
            if name not in members:
                raise _missing(path, name, members)
            with opened.open(f"{name}.npy") as member:
                return tuple(_HEADERS[np.lib.format.read_magic(member)](member)[0])


# Images and labels of one part.
@lru_cache(maxsize=2)
def _kept(path: Path, name: str, changed: int) -> np.ndarray:
    return read_array(path, name)


def _dataset(opened: h5py.File, path: Path, name: str) -> h5py.Dataset:
    found = opened.get(name)
    if not isinstance(found, h5py.Dataset):
        names: list[str] = []
        opened.visititems(lambda key, item: names.append(key) if isinstance(item, h5py.Dataset) else None)
        raise _missing(path, name, names)
    return found


def _missing(path: Path, name: str, names: list[str]) -> InputError:
    return InputError(path, "arrays", sorted(names), f"an array {name}")


def _numbers(values: np.ndarray, path: Path, name: str) -> np.ndarray:
    if values.dtype.kind not in "biuf":
        raise InputError(path, f"array {name}", str(values.dtype), "real numbers")
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        raise InputError(path, f"array {name}", "infinite or not a number", "finite numbers")
    return values.astype(np.uint8) if values.dtype.kind == "b" else values


@contextmanager
def _clear_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except InputError:
        raise
    except _UNREADABLE as error:
        raise InputError(path, "content", str(error), f"a whole file with arrays: {', '.join(ENDINGS)}") from None
