"""Archives unpacked without ever leaving their folder."""

from __future__ import annotations

import shutil
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO

from mmseg_ext.suite.errors import InputError
from mmseg_ext.suite.files import require_free_space


@dataclass(frozen=True)
class _Member:
    """A file or folder of an archive."""

    name: str
    is_folder: bool
    is_file: bool
    size: int
    open: Callable[[], IO[bytes]]
    """Opens the content of a file."""


def unpack(archive: Path, root: Path) -> None:
    """Unpack a zip or tar archive below `root`; another file is copied there.

    Args:
        archive: The file.
        root: Existing folder.

    Raises:
        InputError: If the archive is damaged, holds a link, a special file or a path that leads outside
            `root` (all this before anything is written), or does not fit on the disk.
    """
    try:
        if zipfile.is_zipfile(archive):
            with zipfile.ZipFile(archive) as opened:
                _extract(archive, root, _zip_members(opened))
        elif tarfile.is_tarfile(archive):
            with tarfile.open(archive) as opened:
                _extract(archive, root, _tar_members(opened))
        else:
            shutil.copyfile(archive, root / archive.name)
    except (zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError) as error:
        raise InputError(archive, "content", str(error), "a whole archive") from None


def _zip_members(opened: zipfile.ZipFile) -> list[_Member]:
    members = []
    for info in opened.infolist():
        kind = stat.S_IFMT(info.external_attr >> 16)
        # Archives written on other systems carry no file type.
        is_file = kind in (0, stat.S_IFREG) and not info.is_dir()
        members.append(_Member(info.filename, info.is_dir(), is_file, info.file_size, partial(opened.open, info)))
    return members


def _tar_members(opened: tarfile.TarFile) -> list[_Member]:
    return [
        _Member(info.name, info.isdir(), info.isfile(), info.size, partial(opened.extractfile, info))
        for info in opened.getmembers()
    ]


def _extract(archive: Path, root: Path, members: list[_Member]) -> None:
    for member in members:
        path = PurePosixPath(member.name)
        if path.is_absolute() or ".." in path.parts:
            raise InputError(archive, "path", member.name, "paths inside the archive's folder")
        if not (member.is_folder or member.is_file):
            raise InputError(archive, "entry", member.name, "files and folders only, no links")
    require_free_space(root, sum(member.size for member in members), f"unpacking {archive.name}")
    for member in members:
        target = root / member.name
        if member.is_folder:
            target.mkdir(parents=True, exist_ok=True)
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            with member.open() as source, target.open("wb") as copy:
                shutil.copyfileobj(source, copy)
