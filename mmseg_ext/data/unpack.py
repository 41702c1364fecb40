"""Archives unpacked without ever leaving their folder."""

from __future__ import annotations

import bz2
import gzip
import lzma
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import IO, Any

import rarfile

from mmseg_ext.suite.errors import InputError
from mmseg_ext.suite.files import require_free_space

MAX_ENTRIES = 500_000
"""More than the largest data set here has (COCO-Stuff: 123 287 images and as many label maps, in two archives)."""
MAX_RATIO = 200
"""Unpacked to packed bytes. Label maps alone reach about 100; a bomb starts near deflate's limit of 1032."""
RATIO_FREE_BYTES = 2**30
"""Unpacked bytes up to which any ratio is allowed: they do no harm."""
COPY_BYTES = 1024 * 1024

_SINGLE: dict[str, Callable[[Path], Any]] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
# Formats that are packed themselves; their readers want them as they are.
_KEPT = (".nii.gz", ".npz", ".xlsx")
# The start decides: the end of a tar may look like that of a zip it holds.
_ZIP_STARTS = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
_RAR_START = b"Rar!\x1a\x07"
_7Z_START = b"7z\xbc\xaf\x27\x1c"
_DAMAGE = (zipfile.BadZipFile, tarfile.TarError, rarfile.Error, zlib.error, lzma.LZMAError, gzip.BadGzipFile, EOFError)


@dataclass(frozen=True)
class _Member:
    """A file or folder of an archive."""

    name: str
    is_folder: bool
    is_file: bool
    is_encrypted: bool
    size: int
    """Bytes the archive says the file has."""
    open: Callable[[], IO[bytes] | None]
    """Opens the content of a file."""


class Allowance:
    """Entries and bytes that an archive, and what lies packed inside it, may still give.

    Args:
        archive: The file.
    """

    def __init__(self, archive: Path) -> None:
        self.entries = MAX_ENTRIES
        self.bytes = _most_bytes(archive)


def unpack(archive: Path, root: Path, allowance: Allowance | None = None) -> None:
    """Unpack a zip, tar or rar archive, or one gz, bz2 or xz file, below `root`; another file is copied there.

    Nothing but plain files and folders is ever made: links are refused, wherever they lead, and modes and owners
    are not taken over. Files that are packed by nature (NIfTI, NPZ, XLSX) stay so. Compressed files of a rar archive
    are decoded by `unrar`, `unar`, `7z` or `bsdtar`, whichever is installed.

    Args:
        archive: The file.
        root: Existing empty folder.
        allowance: What the archive that this one lay in leaves over; it is used up. Default: the archive's own.

    Raises:
        InputError: Before anything is written if the archive holds a link, a special file, an encrypted file, two
            files of one name, a path that leads outside `root`, no file or more than `MAX_ENTRIES` entries, more than
            `MAX_RATIO` times its own size, does not fit on the disk, or is a 7z archive. Later if it is damaged, a file
            is larger than the archive says, or no tool for compressed rar files is installed.
        OSError: If the disk is full or a name cannot be written.
    """
    allowance = allowance or Allowance(archive)
    with archive.open("rb") as handle:
        head = handle.read(8)
    if head.startswith(_7Z_START):
        hint = "Unpack it with a tool for 7z into DIR/<dataset>/ and give `--local-data DIR`, or pack it anew as zip."
        raise InputError(archive, "format", "a 7z archive", "zip, tar, rar or gz", hint)
    try:
        if archive.name.endswith(_KEPT):
            _copy_whole(archive, root)
        elif head.startswith(_ZIP_STARTS):
            with zipfile.ZipFile(archive) as opened:
                _extract(archive, root, _zip_members(opened), allowance)
        elif head.startswith(_RAR_START):
            with rarfile.RarFile(archive, errors="strict") as opened:
                _extract(archive, root, _rar_members(opened), allowance)
        elif tarfile.is_tarfile(archive):
            with tarfile.open(archive) as opened:
                _extract(archive, root, _tar_members(opened), allowance)
        elif archive.suffix in _SINGLE:
            with _SINGLE[archive.suffix](archive) as source:
                most = min(allowance.bytes, _most_bytes(archive))
                allowance.bytes -= _copy(archive, source, root / archive.stem, most, archive.stem)
        else:
            _copy_whole(archive, root)
    except rarfile.RarCannotExec:
        found = "a rar archive with compressed files, and no tool to decode them"
        raise InputError(archive, "format", found, "unrar, unar, 7z or bsdtar to be installed") from None
    except (*_DAMAGE, NotImplementedError) as error:
        raise _damaged(archive, error) from None
    except OSError as error:
        # Damaged bzip2 data are an error of no system call.
        if error.errno is not None:
            raise
        raise _damaged(archive, error) from None


def _damaged(archive: Path, error: Exception) -> InputError:
    return InputError(archive, "content", str(error), "a whole archive that can be read")


def _copy_whole(file: Path, root: Path) -> None:
    size = file.stat().st_size
    require_free_space(root, size, f"copying {file.name}")
    with file.open("rb") as source:
        _copy(file, source, root / file.name, size, file.name)


def _zip_members(opened: zipfile.ZipFile) -> Iterator[_Member]:
    for info in opened.infolist():
        kind = stat.S_IFMT(info.external_attr >> 16)
        # Archives written on other systems carry no file type.
        is_file = kind in (0, stat.S_IFREG) and not info.is_dir()
        is_encrypted = bool(info.flag_bits & 0x1)
        open_ = partial(opened.open, info)
        yield _Member(info.filename, info.is_dir(), is_file, is_encrypted, info.file_size, open_)


def _tar_members(opened: tarfile.TarFile) -> Iterator[_Member]:
    for info in opened:
        open_ = partial(opened.extractfile, info)
        yield _Member(info.name, info.isdir(), info.isfile(), False, info.size, open_)


def _rar_members(opened: rarfile.RarFile) -> Iterator[_Member]:
    for info in opened.infolist():
        open_ = partial(opened.open, info)
        yield _Member(info.filename, info.is_dir(), info.is_file(), info.needs_password(), info.file_size, open_)


def _extract(archive: Path, root: Path, found: Iterable[_Member], allowance: Allowance) -> None:
    """Check every member, then write all."""
    members: dict[PurePosixPath, _Member] = {}
    size, most = 0, min(allowance.bytes, _most_bytes(archive))
    # Checked one by one: a bomb must not be read to its end to be known.
    for count, member in enumerate(found, start=1):
        if count > allowance.entries:
            raise InputError(archive, "entries", f"more than {allowance.entries}", f"at most {allowance.entries}")
        if member.size < 0:
            raise InputError(archive, "entry", f"{member.name} of {member.size} bytes", "sizes from 0")
        size += member.size
        if size > most:
            raise _bomb(archive, member.name, most)
        path = _safe_path(archive, member)
        if path in members and not (member.is_folder and members[path].is_folder):
            raise InputError(archive, "entry", member.name, "every name once")
        members[path] = member
    allowance.entries -= len(members)
    allowance.bytes -= size
    if not any(member.is_file for member in members.values()):
        raise InputError(archive, "entries", "no files", "at least one file")
    require_free_space(root, size, f"unpacking {archive.name}")
    for path, member in members.items():
        target = root / path
        try:
            if member.is_folder:
                target.mkdir(parents=True, exist_ok=True)
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError):
            raise InputError(archive, "entry", member.name, "no file where a folder is needed") from None
        source = member.open()
        assert source is not None
        with source:
            _copy(archive, source, target, member.size, member.name)


def _safe_path(archive: Path, member: _Member) -> PurePosixPath:
    """Return the path of a member below the archive's folder."""
    # Some archivers on Windows write backslashes.
    path, windows = PurePosixPath(member.name.replace("\\", "/")), PureWindowsPath(member.name)
    if path.is_absolute() or windows.drive or ".." in path.parts:
        raise InputError(archive, "path", member.name, "paths inside the archive's folder")
    if not (member.is_folder or member.is_file):
        raise InputError(archive, "entry", member.name, "files and folders only, no links and no devices")
    if member.is_encrypted:
        hint = "Unpack it yourself with the password its owner gives, into DIR/<dataset>/, and give `--local-data DIR`."
        raise InputError(archive, "entry", f"{member.name}, encrypted", "files that need no password", hint)
    return path


def _copy(archive: Path, source: IO[bytes], target: Path, most: int, name: str) -> int:
    """Write a file of at most `most` bytes; return how many it has."""
    size = 0
    with target.open("wb") as copy:
        while chunk := source.read(COPY_BYTES):
            size += len(chunk)
            if size > most:
                raise _bomb(archive, name, most)
            copy.write(chunk)
    return size


def _most_bytes(archive: Path) -> int:
    return max(RATIO_FREE_BYTES, MAX_RATIO * archive.stat().st_size)


def _bomb(archive: Path, name: str, most: int) -> InputError:
    hint = "It may be a bomb. If you trust it, unpack it yourself into DIR/<dataset>/ and give `--local-data DIR`."
    return InputError(archive, "unpacked size", f"more, at {name}", f"at most {most / 2**20:.0f} MiB", hint)
