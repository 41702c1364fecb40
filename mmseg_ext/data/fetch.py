"""Data sets from where they come from to a folder of unpacked files."""

from __future__ import annotations

import os
from pathlib import Path

import pooch
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from mmseg_ext.data.convert.pairing import check_layout
from mmseg_ext.data.phantoms.generate import generate
from mmseg_ext.data.source import write_source
from mmseg_ext.data.unpack import unpack
from mmseg_ext.suite.dataset_card import (
    DatasetCard,
    GeneratedAccess,
    LocalAccess,
    ManualAccess,
    OpenAccess,
    RemoteFile,
)
from mmseg_ext.suite.errors import InputError
from mmseg_ext.suite.files import hash_file, hash_value, replacing, require_free_space


def fetch(card: DatasetCard, out: Path, mirror: Path | None, local_data: Path | None) -> Path:
    """Make a data set's files available and record where they lie in `<out>/source.json`, written last.

    Generated data are generated. Unpacked data in `<local_data>/<dataset>`, or at the card's local path, are
    used where they lie. Everything else is taken from the mirror folder by file name, or downloaded, verified
    and unpacked.

    Args:
        card: The data set card.
        out: Folder of the fetched data set.
        mirror: Folder with files that would otherwise be downloaded.
        local_data: Folder with unpacked data sets, one folder each.

    Returns:
        Folder of the unpacked files.

    Raises:
        InputError: If the data cannot be had, a checksum differs, an archive is unsafe, or the layout's
            folders are not there.
    """
    out.mkdir(parents=True, exist_ok=True)
    root, files = out / "unpacked", {}
    local = local_root(card, local_data)
    if local is not None:
        root = local
    elif isinstance(card.source, GeneratedAccess):
        generate(card.source, root)
    else:
        archives = _archives(card, out, mirror)
        with replacing(root) as part:
            part.mkdir()
            for archive in archives:
                unpack(archive, part)
        files = {archive.name: hash_file(archive) for archive in archives}
    check_layout(card.layout, root)
    write_source(out, root, files)
    return root


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


def _archives(card: DatasetCard, out: Path, mirror: Path | None) -> list[Path]:
    if isinstance(card.source, ManualAccess):
        return [_placed(name, out, mirror, card.source) for name in card.source.filenames]
    assert isinstance(card.source, OpenAccess)
    # Each file is on the disk twice: as downloaded and unpacked.
    known = sum(file.bytes or 0 for file in card.source.files)
    require_free_space(out, 2 * known, f"downloading {card.dataset}")
    return [_mirrored(file, mirror) or _download(file, out / "downloads") for file in card.source.files]


def _placed(name: str, out: Path, mirror: Path | None, source: ManualAccess) -> Path:
    """Return a file a person has placed."""
    for folder in (mirror, out):
        if folder is not None and (folder / name).is_file():
            return folder / name
    places = " or ".join(str(folder) for folder in (mirror, out) if folder is not None)
    raise InputError(out, name, "nothing", f"this file in {places}", source.instructions)


def _mirrored(file: RemoteFile, mirror: Path | None) -> Path | None:
    """Return a file of the mirror folder, verified, or None if the mirror lacks it."""
    if mirror is None or not (mirror / file.filename).is_file():
        return None
    path, known = mirror / file.filename, _known_hash(file)
    if known is not None:
        algorithm, expected = known.split(":")
        found = pooch.file_hash(str(path), alg=algorithm)
        if found != expected:
            raise InputError(path, algorithm, found, expected, "The file is damaged or another version: replace it.")
    return path


def _download(file: RemoteFile, folder: Path) -> Path:
    """Return a file downloaded from the first address that serves it with the right checksum."""
    known, failures = _known_hash(file), []
    for url in file.urls:
        columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
        with Progress(*columns, console=Console(stderr=True)) as display:
            downloader = pooch.HTTPDownloader(progressbar=_Bar(display, file.filename))
            try:
                return Path(pooch.retrieve(url, known, file.filename, folder, downloader=downloader))
            except (OSError, ValueError) as error:
                failures.append(f"{url}: {error}")
    expected = f"{file.filename} with {known or 'any checksum'}"
    hint = "Download it by other means, put it in a folder and give that with `--config mirror=DIR`."
    raise InputError(folder / file.filename, "download", "; ".join(failures), expected, hint)


def _known_hash(file: RemoteFile) -> str | None:
    """Return the strongest checksum known, as pooch writes it."""
    if file.sha256 is not None:
        return f"sha256:{file.sha256}"
    return f"md5:{file.md5}" if file.md5 is not None else None


class _Bar:
    """A rich progress bar with the interface pooch expects."""

    def __init__(self, display: Progress, description: str) -> None:
        self._display = display
        self._task = display.add_task(description, total=None)

    @property
    def total(self) -> float | None:
        """Bytes to come."""
        return self._display.tasks[0].total

    @total.setter
    def total(self, value: int) -> None:
        self._display.update(self._task, total=value)

    def update(self, size: int) -> None:
        """Count bytes that have arrived."""
        self._display.advance(self._task, size)

    def reset(self) -> None:
        """Start from zero."""
        self._display.reset(self._task)

    def close(self) -> None:
        """Stop drawing."""
        self._display.stop()
