"""What fetching would do: files, bytes, licences and disk space, with nothing fetched."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from rich.console import Console
from rich.filesize import decimal
from rich.table import Table

from mmseg_ext.data.fetch.local import local_root
from mmseg_ext.data.fetch.partial import PartialFile
from mmseg_ext.data.fetch.places import downloads_folder, mirrored, placed
from mmseg_ext.data.source import source_root
from mmseg_ext.suite.dataset_card import DatasetCard, GeneratedAccess, ManualAccess, OpenAccess
from mmseg_ext.suite.errors import InputError
from mmseg_ext.suite.files import replacing

# Whether a card says nothing is told apart from "no".
_REDISTRIBUTION = {True: "yes", False: "no", None: "unknown"}


@dataclass(frozen=True)
class DatasetPlan:
    """What is needed for one data set."""

    dataset: str
    access: str
    next_step: str
    """`none` (fetched already), `generate`, `use` or `give local data`, `place by hand`, `download` or `unpack`."""
    files: str
    """Names, separated by `; `."""
    here: str
    """Files, and parts of files, that are on this machine, with their folders."""
    checksums: str
    """Files with a published checksum, of all."""
    known_bytes: int
    """Bytes of all files whose size is known, from the card or because they are here."""
    files_of_unknown_size: int
    known_bytes_to_download: int
    """Bytes that are not here, of the files whose size is known."""
    disk_bytes_at_least: int
    """Space needed at least: what is to be downloaded, and as much again as all files once they are unpacked."""
    licence: str
    redistribution: str
    """`yes`, `no` or `unknown`."""
    instructions: str
    """What a person has to do first."""


@dataclass(frozen=True)
class _File:
    name: str
    size: int | None
    path: Path | None
    """Where the whole file is."""
    part: PartialFile | None = None
    has_checksum: bool = False

    @property
    def missing(self) -> int:
        if self.path is not None or self.size is None:
            return 0
        return max(0, self.size - (self.part.size if self.part else 0))

    @property
    def place(self) -> str | None:
        if self.path is not None:
            return str(self.path)
        return f"{self.part.path} ({decimal(self.part.size)})" if self.part and self.part.size else None


def plan_dataset(card: DatasetCard, out: Path, mirror: Path | None, local_data: Path | None) -> DatasetPlan:
    """Return what fetching a data set would need.

    Args:
        card: The data set card.
        out: Folder of the fetched data set.
        mirror: Folder with files that would otherwise be downloaded.
        local_data: Folder with unpacked data sets, one folder each.
    """
    files = _files(card, out, mirror)
    step = _next_step(card, out, local_data, files)
    is_fetched_here = step in ("download", "place by hand", "unpack")
    to_download = sum(file.missing for file in files) if is_fetched_here else 0
    size = sum(file.size or 0 for file in files)
    return DatasetPlan(
        dataset=card.dataset,
        access=card.source.access,
        next_step=step,
        files="; ".join(file.name for file in files),
        here="; ".join(file.place for file in files if file.place is not None),
        checksums=f"{sum(file.has_checksum for file in files)} of {len(files)}" if files else "",
        known_bytes=size,
        files_of_unknown_size=sum(file.size is None for file in files),
        known_bytes_to_download=to_download,
        disk_bytes_at_least=to_download + size if is_fetched_here else 0,
        licence=card.licence.name,
        redistribution=_REDISTRIBUTION[card.licence.redistribution],
        instructions=card.source.instructions.strip() if isinstance(card.source, ManualAccess) else "",
    )


def write_plan(rows: Sequence[DatasetPlan], path: Path) -> None:
    """Write the plan as CSV, one row a data set."""
    with replacing(path) as part, part.open("w", newline="", encoding="utf-8") as handle:
        writer = csv.DictWriter(handle, [field.name for field in fields(DatasetPlan)])
        writer.writeheader()
        writer.writerows(asdict(row) for row in rows)


def print_plan(rows: Sequence[DatasetPlan], console: Console) -> None:
    """Print the plan as a table, its sums, and what a person has to do."""
    table = Table("data set", "access", "next step", "files", "here", "checksums", "size", "disk", "licence", "pass on")
    for row in rows:
        names, here = (len(text.split("; ")) if text else 0 for text in (row.files, row.here))
        table.add_row(
            row.dataset,
            row.access,
            row.next_step,
            str(names or ""),
            str(here or ""),
            row.checksums,
            _size(row.known_bytes, row.files_of_unknown_size),
            _size(row.disk_bytes_at_least, _unknown(row)),
            row.licence,
            row.redistribution,
        )
    console.print(table)
    unknown = sum(map(_unknown, rows))
    download = _size(sum(row.known_bytes_to_download for row in rows), unknown)
    disk = _size(sum(row.disk_bytes_at_least for row in rows), unknown)
    console.print(f"To download: {download}. Disk needed: at least {disk}; unpacked files may be larger than packed.")
    for row in rows:
        if row.next_step == "place by hand":
            console.print(f"\n{row.dataset}: {row.instructions} Files: {row.files}.", markup=False)


def _files(card: DatasetCard, out: Path, mirror: Path | None) -> list[_File]:
    if isinstance(card.source, ManualAccess):
        places = {name: placed(name, out, mirror) for name in card.source.filenames}
        return [
            _File(name, path.stat().st_size if path else None, path, has_checksum=name in card.source.sha256)
            for name, path in places.items()
        ]
    if not isinstance(card.source, OpenAccess):
        return []
    found = []
    for file in card.source.files:
        name, folder = file.filename, downloads_folder(out)
        path, part = mirrored(name, mirror) or mirrored(name, folder), PartialFile(folder / name)
        size = path.stat().st_size if path is not None else file.bytes or part.total
        found.append(_File(name, size, path, part, file.sha256 is not None or file.md5 is not None))
    return found


def _next_step(card: DatasetCard, out: Path, local_data: Path | None, files: list[_File]) -> str:
    if _is_fetched(out):
        return "none"
    if isinstance(card.source, GeneratedAccess):
        return "generate"
    try:
        if local_root(card, local_data, out) is not None:
            return "use local data"
    except InputError:
        return "give local data"
    if all(file.path is not None for file in files):
        return "unpack"
    return "place by hand" if isinstance(card.source, ManualAccess) else "download"


def _is_fetched(out: Path) -> bool:
    if not (out / "source.json").is_file():
        return False
    try:
        source_root(out)
    except InputError:
        # Its files are gone: they have to be fetched again.
        return False
    return True


def _unknown(row: DatasetPlan) -> int:
    """Return how many files of unknown size are still to come."""
    return row.files_of_unknown_size if row.next_step in ("download", "place by hand") else 0


def _size(known: int, unknown_files: int) -> str:
    parts = [decimal(known)] if known else []
    if unknown_files:
        parts.append(f"{unknown_files} file{'s' if unknown_files > 1 else ''} of unknown size")
    return " + ".join(parts) or "none"
