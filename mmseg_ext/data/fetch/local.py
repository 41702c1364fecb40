"""Data that already lie on this machine."""

from __future__ import annotations

import os
from pathlib import Path

from mmseg_ext.suite.dataset_card import DatasetCard, GeneratedAccess, LocalAccess
from mmseg_ext.suite.errors import InputError
from mmseg_ext.suite.files import hash_value


def local_root(card: DatasetCard, local_data: Path | None) -> Path | None:
    """Return the folder of unpacked data that are already on this machine; None if they are to be made or fetched.

    Raises:
        InputError: If the card says the data are here and they are not.
    """
    if isinstance(card.source, GeneratedAccess):
        return None
    if local_data is not None and (local_data / card.dataset).is_dir():
        return local_data / card.dataset
    if not isinstance(card.source, LocalAccess):
        return None
    where = f"data set {card.dataset}"
    if card.source.path is None:
        found = "not given" if local_data is None else f"{local_data} without a folder {card.dataset}"
        hint = f"Give the folder that holds {card.dataset}/ with `--config local_data=DIR`. {card.description}"
        raise InputError(where, "local_data", found, f"a folder with the unpacked data in {card.dataset}/", hint)
    if not card.source.path.is_dir():
        raise InputError(where, "source.path", str(card.source.path), "an existing folder")
    return card.source.path


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
