"""A data set's files: from the mirror folder, by hand or from the network, verified and unpacked."""

from __future__ import annotations

from pathlib import Path

from mmseg_ext.data.convert.pairing import check_layout
from mmseg_ext.data.fetch.download import Downloads
from mmseg_ext.data.fetch.local import local_key, local_root
from mmseg_ext.data.fetch.places import downloads_folder, mirrored, placed
from mmseg_ext.data.fetch.transfer import Patience
from mmseg_ext.data.fetch.verification import TrustedFiles, verify
from mmseg_ext.data.phantoms.generate import generate
from mmseg_ext.data.source import write_source
from mmseg_ext.data.unpacked import Archive, unpack_all
from mmseg_ext.suite.dataset_card import (
    DatasetCard,
    GeneratedAccess,
    ManualAccess,
    OpenAccess,
    RemoteFile,
)
from mmseg_ext.suite.errors import InputError
from mmseg_ext.suite.files import require_free_space


def fetch(
    card: DatasetCard, out: Path, mirror: Path | None, local_data: Path | None, patience: Patience | None = None
) -> Path:
    """Make a data set's files available and record where they lie in `<out>/source.json`, written last.

    Generated data are generated. Unpacked data in `<local_data>/<dataset>`, at the card's local path, or in the local
    folder that an earlier call was given are used where they lie. Everything else is taken from the mirror folder by
    file name, or downloaded (or placed by a person), verified and unpacked.

    Args:
        card: The data set card.
        out: Folder of the fetched data set.
        mirror: Folder with files that would otherwise be downloaded.
        local_data: Folder with unpacked data sets, one folder each.
        patience: How long to put up with servers.

    Returns:
        Folder of the unpacked files.

    Raises:
        InputError: If the data cannot be had, a checksum differs, an archive is unsafe, or the layout's
            folders are not there.
    """
    out.mkdir(parents=True, exist_ok=True)
    root, files = out / "unpacked", {}
    local = local_root(card, local_data, out)
    if local is not None:
        root = local
    elif isinstance(card.source, GeneratedAccess):
        generate(card.source, root)
    else:
        trusted = TrustedFiles(out)
        if isinstance(card.source, ManualAccess):
            archives = _placed(card.dataset, card.source, out, mirror, trusted)
        else:
            assert isinstance(card.source, OpenAccess)
            archives = _open(card.dataset, card.source, out, mirror, trusted, patience)
        root = unpack_all(archives, out, card.source.inner_archives)
        trusted.commit()
        files = {archive.path.name: archive.sha256 for archive in archives}
    check_layout(card.layout, root)
    write_source(out, root, files, "" if local is None else local_key(local))
    return root


def _open(
    dataset: str, source: OpenAccess, out: Path, mirror: Path | None, trusted: TrustedFiles, patience: Patience | None
) -> list[Archive]:
    """Return the files of a data set that anyone may download, in the card's order."""
    here = {file.filename: path for file in source.files if (path := mirrored(file.filename, mirror)) is not None}
    found = {
        file.filename: verify(here[file.filename], file, trusted) for file in source.files if file.filename in here
    }
    missing = [file for file in source.files if file.filename not in here]
    folder = downloads_folder(out)
    # Each file is on the disk twice: as downloaded and unpacked.
    known = sum(file.bytes or 0 for file in source.files)
    had = sum((folder / file.filename).stat().st_size for file in missing if (folder / file.filename).is_file())
    require_free_space(out, max(0, 2 * known - had), f"downloading {dataset}")
    if missing:
        found |= Downloads(folder, trusted, patience).get(missing)
    return [Archive(here.get(file.filename, folder / file.filename), found[file.filename]) for file in source.files]


def _placed(dataset: str, source: ManualAccess, out: Path, mirror: Path | None, trusted: TrustedFiles) -> list[Archive]:
    """Return the files a person has placed, verified as far as possible.

    Raises:
        InputError: If some are not there; it says what to do.
    """
    paths = {name: placed(name, out, mirror) for name in source.filenames}
    missing = [name for name, path in paths.items() if path is None]
    if missing:
        raise InputError(out, "files to place", _found(paths), _places(missing, out, mirror), _steps(dataset, source))
    archives = []
    for name, path in paths.items():
        assert path is not None
        archives.append(
            Archive(
                path, verify(path, RemoteFile(filename=name, urls=["by hand"], sha256=source.sha256.get(name)), trusted)
            )
        )
    return archives


def _found(paths: dict[str, Path | None]) -> str:
    there = [str(path) for path in paths.values() if path is not None]
    return ", ".join(there) or "none"


def _places(missing: list[str], out: Path, mirror: Path | None) -> str:
    other = (
        f"the mirror folder {mirror}/"
        if mirror
        else "a mirror folder given with `--mirror DIR` (workflow: `--config mirror=DIR`)"
    )
    return f"{', '.join(missing)} in {out}/ or in {other}"


def _steps(dataset: str, source: ManualAccess) -> str:
    return (
        f"This data set cannot be downloaded without a person. {source.instructions.strip()} "
        f"Then run `python -m mmseg_ext fetch {dataset}` again: it checks the files and goes on."
    )
