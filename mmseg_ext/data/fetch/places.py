"""Where files of a data set are looked for before the network."""

from __future__ import annotations

from pathlib import Path


def downloads_folder(out: Path) -> Path:
    """Return where a data set's downloaded files lie, below the folder of the fetched data set."""
    return out / "downloads"


def mirrored(name: str, mirror: Path | None) -> Path | None:
    """Return the path of a file in the mirror folder, or None if it is not there."""
    return mirror / name if mirror is not None and (mirror / name).is_file() else None


def placed(name: str, out: Path, mirror: Path | None) -> Path | None:
    """Return the path of a file a person has put into the mirror folder or beside the data, or None."""
    return mirrored(name, mirror) or mirrored(name, out)
