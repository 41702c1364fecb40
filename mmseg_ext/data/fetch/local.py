"""Data that already lie on this machine."""

from __future__ import annotations

import os
from pathlib import Path

from mmseg_ext.data.source import read_local
from mmseg_ext.suite.dataset_card import DatasetCard, GeneratedAccess, LocalAccess
from mmseg_ext.suite.errors import InputError
from mmseg_ext.suite.files import hash_value


def local_root(card: DatasetCard, local_data: Path | None, out: Path) -> Path | None:
    """Return the folder of unpacked data that are already on this machine; None if they are to be made or fetched.

    A folder that was given once is kept until another one is given or `<out>/source.json` is removed: a later call
    without it means the same data.

    Args:
        card: The data set card.
        local_data: Folder with unpacked data sets, one folder each.
        out: Folder of the fetched data set.

    Raises:
        InputError: If the card says the data are here and they are not.
    """
    if isinstance(card.source, GeneratedAccess):
        return None
    if local_data is not None and (local_data / card.dataset).is_dir():
        return local_data / card.dataset
    if isinstance(card.source, LocalAccess) and card.source.path is not None:
        if not card.source.path.is_dir():
            raise InputError(f"data set {card.dataset}", "source.path", str(card.source.path), "an existing folder")
        return card.source.path
    if (recorded := read_local(out)) is not None:
        return recorded[0]
    if not isinstance(card.source, LocalAccess):
        return None
    found = "not given" if local_data is None else f"{local_data} without a folder {card.dataset}"
    hint = f"Give the folder that holds {card.dataset}/ with `--config local_data=DIR`. {card.description}"
    expected = f"a folder with the unpacked data in {card.dataset}/"
    raise InputError(f"data set {card.dataset}", "local_data", found, expected, hint)


def local_state(card: DatasetCard, local_data: Path | None, out: Path) -> str:
    """Return what tells whether local data of a data set changed since it was fetched; empty if it has none.

    Arguments as in `local_root`. While a recorded folder is away (a disk that is not mounted), nothing has changed.
    """
    root = local_root(card, local_data, out)
    if root is None:
        return ""
    recorded = read_local(out)
    if recorded is not None and recorded[0] == root and not root.is_dir():
        return recorded[1]
    return local_key(root)


def local_key(root: Path) -> str:
    """Return a hash of a folder's place and of what is in it; see `local_fingerprint`."""
    return hash_value([str(root.resolve()), local_fingerprint(root)])


def local_fingerprint(root: Path) -> str:
    """Return a hash of the names, sizes and modification times of all files below a folder.

    It tells whether a user's data changed without reading them.

    Raises:
        InputError: If there is no such folder.
    """
    if not root.is_dir():
        raise InputError(root, "folder", "nothing", "an existing folder of data")
    entries = []
    for folder, _, names in os.walk(root):
        for name in names:
            path = Path(folder, name)
            status = path.stat()
            entries.append((path.relative_to(root).as_posix(), status.st_size, status.st_mtime_ns))
    return hash_value(sorted(entries))
