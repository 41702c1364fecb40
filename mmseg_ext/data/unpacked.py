"""All archives of a data set in one folder, one archive after the other, so that a stopped call is continued."""

from __future__ import annotations

import filecmp
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from mmseg_ext.data.convert.path_patterns import list_files
from mmseg_ext.data.disk import clear_disk_errors
from mmseg_ext.data.unpack import Allowance, unpack
from mmseg_ext.suite.errors import InputError
from mmseg_ext.suite.files import read_json, replacing, write_json


@dataclass(frozen=True)
class Archive:
    """A verified file."""

    path: Path
    sha256: str


def unpack_all(archives: list[Archive], out: Path, inner: Sequence[str] = ()) -> Path:
    """Unpack archives into `<out>/unpacked`, which appears when all are there.

    Each archive is first unpacked aside, whole or not at all, then its files are moved to those of the archives
    before it. A call that was stopped goes on with the archive it was at, unless an archive has changed.

    Args:
        archives: The files, in order.
        out: Folder of the fetched data set.
        inner: Patterns of paths of archives inside the archives, which are unpacked too, each in the folder it lies in;
            the outermost archive's limits hold for all that comes out of it.

    Returns:
        The folder.

    Raises:
        InputError: If an archive is damaged or unsafe, two hold different files of the same name, or the disk is full.
    """
    with clear_disk_errors(out, "the unpacked files", "fetch again: archives that were unpacked before are kept"):
        return _unpack_all(archives, out, inner)


def _unpack_all(archives: list[Archive], out: Path, inner: Sequence[str]) -> Path:
    root, work = out / "unpacked", out / "unpacking"
    merged, record = work / "merged", work / "done.json"
    wanted = {archive.path.name: archive.sha256 for archive in archives} | dict.fromkeys(inner, "inside")
    state = read_json(record) if record.is_file() else {"archives": wanted, "done": []}
    if state["archives"] != wanted:
        shutil.rmtree(work)
        state = {"archives": wanted, "done": []}
    write_json(record, state)
    merged.mkdir(parents=True, exist_ok=True)
    for archive in archives:
        aside = work / f"{archive.path.name}.aside"
        if archive.path.name not in state["done"]:
            if not aside.is_dir():
                with replacing(aside) as part:
                    part.mkdir()
                    allowance = Allowance(archive.path)
                    unpack(archive.path, part, allowance)
                    _unpack_inner(part, inner, allowance)
            _move(aside, merged, archive.path)
            state["done"].append(archive.path.name)
            write_json(record, state)
        shutil.rmtree(aside, ignore_errors=True)
    if root.is_dir():
        shutil.rmtree(root)
    merged.replace(root)
    shutil.rmtree(work)
    return root


def _unpack_inner(root: Path, patterns: Sequence[str], allowance: Allowance) -> None:
    """Put the files of inner archives in the place of these."""
    for name in list_files(root):
        if not any(fnmatchcase(name, pattern) for pattern in patterns):
            continue
        archive = root / name
        aside = archive.with_name(f".{archive.name}.inner")
        aside.mkdir()
        unpack(archive, aside, allowance)
        archive.unlink()
        _move(aside, archive.parent, archive)
        shutil.rmtree(aside)


def _move(source: Path, target: Path, archive: Path) -> None:
    for folder, _, names in os.walk(source):
        place = target / Path(folder).relative_to(source)
        try:
            place.mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError):
            raise _clash(archive, place) from None
        for name in names:
            moved = place / name
            if moved.is_dir() or (moved.exists() and not filecmp.cmp(Path(folder, name), moved, shallow=False)):
                raise _clash(archive, moved)
            Path(folder, name).replace(moved)


def _clash(archive: Path, path: Path) -> InputError:
    return InputError(archive, "entry", path.name, f"no other archive with a different {path}")
