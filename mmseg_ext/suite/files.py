"""Files that are never half-written, and their hashes."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mmseg_ext.suite.errors import InputError


@contextmanager
def replacing(path: Path | str) -> Iterator[Path]:
    """Yield a temporary path beside `path`; rename it to `path` on success, remove it on error.

    Works for a file and for a folder (the caller creates either at the yielded path).
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
    part = scratch / path.name
    try:
        yield part
        if part.is_file():
            with part.open("rb+") as handle:
                os.fsync(handle.fileno())
        elif path.is_dir():
            shutil.rmtree(path)
        part.replace(path)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def write_text(path: Path | str, text: str) -> None:
    """Write `text` as UTF-8 to `path`, whole or not at all."""
    with replacing(path) as part:
        part.write_text(text, encoding="utf-8")


def write_json(path: Path | str, value: object) -> None:
    """Write `value` as indented JSON with sorted keys, whole or not at all."""
    write_text(path, json.dumps(value, indent=2, sort_keys=True, allow_nan=False) + "\n")


def read_json(path: Path | str) -> Any:
    """Read a JSON file.

    Raises:
        InputError: If the file is missing or is not JSON.
    """
    path = Path(path)
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(path, "file", "nothing", "an existing JSON file") from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise InputError(path, "content", str(error), "valid JSON") from None


def hash_file(path: Path | str) -> str:
    """Return the SHA-256 of a file's bytes as hexadecimal."""
    with Path(path).open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def hash_value(value: object) -> str:
    """Return the SHA-256 of a JSON-able value, independent of the order of its keys."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def hash_tree(root: Path, files: Iterable[Path]) -> str:
    """Return one SHA-256 over the relative names and contents of `files` below `root`."""
    rows = sorted((path.relative_to(root).as_posix(), hash_file(path)) for path in files)
    return hash_value(rows)


def require_free_space(folder: Path, needed_bytes: int, purpose: str) -> None:
    """Check that the disk under `folder` can take `needed_bytes`.

    Raises:
        InputError: If less is free; nothing has been written then.
    """
    existing = folder
    while not existing.exists():
        existing = existing.parent
    free = shutil.disk_usage(existing).free
    if free < needed_bytes:
        raise InputError(
            folder,
            f"free disk space for {purpose}",
            f"{free / 2**20:.0f} MiB",
            f"at least {needed_bytes / 2**20:.0f} MiB",
            "Free some space (`python -m mmseg_ext clean` removes checkpoints of finished runs) and run again.",
        )
