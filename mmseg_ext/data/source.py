"""Where the unpacked files of a data set lie: `source.json`, written by `fetch` and read by `prepare`."""

from __future__ import annotations

from pathlib import Path

from mmseg_ext.suite.errors import InputError
from mmseg_ext.suite.files import read_json, write_json


def write_source(out: Path, root: Path, files: dict[str, str], local: str = "") -> None:
    """Record that a data set is ready.

    Args:
        out: Folder of the fetched data set.
        root: Folder of the unpacked files; kept relative to `out` when inside it.
        files: SHA-256 of every downloaded file by name.
        local: Of data that lay on this machine already, their state; see `mmseg_ext.data.fetch.local.local_key`.
    """
    place = root.relative_to(out) if root.is_relative_to(out) else root.resolve()
    write_json(out / "source.json", {"root": place.as_posix(), "files": files, "local": local})


def read_local(out: Path) -> tuple[Path, str] | None:
    """Return folder and state of local data that a data set was made from, as recorded; None if it was fetched."""
    if not (out / "source.json").is_file():
        return None
    record = read_json(out / "source.json")
    return (Path(record["root"]), record["local"]) if record.get("local") else None


def source_root(raw: Path) -> Path:
    """Return the folder of a fetched data set's unpacked files.

    Raises:
        InputError: If the data set was not fetched, or the folder is gone.
    """
    root = raw / read_json(raw / "source.json")["root"]
    if not root.is_dir():
        raise InputError(raw / "source.json", "root", str(root), "an existing folder", "Fetch the data set again.")
    return root
