"""A tiny data set in an archive, a server that has it, and what is left on the disk when something goes wrong."""

from __future__ import annotations

import io
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from support.faulty_server import FaultyServer
from support.tiny_data import pair_card, volume_card, write_volumes

from mmseg_ext.data.fetch import fetch
from mmseg_ext.data.fetch.transfer import Patience
from mmseg_ext.data.prepare import prepare
from mmseg_ext.data.prepared import PreparedDataset

IMPATIENT = Patience(attempts=3, backoff=0.01, connect_timeout=2, read_timeout=0.5, window=0.3, least_speed=100_000)


class World:
    """An archive with a tiny data set, a server that has it, and folders.

    Args:
        folder: An empty folder.
        server: The server.
    """

    def __init__(self, folder: Path, server: FaultyServer) -> None:
        self.folder, self.server = folder, server
        self.raw, self.out, self.mirror = folder / "raw", folder / "prepared", folder / "mirror"
        self.data = write_volumes(folder / "made")
        self.mirror.mkdir()
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w") as archive:
            archive.add(self.data, "tiny")
            info = tarfile.TarInfo("tiny/more.bin")
            info.size = 300_000
            archive.addfile(info, io.BytesIO(np.random.default_rng(0).bytes(info.size)))
        self.archive = buffer.getvalue()
        server.files["/tiny.tar"] = self.archive

    def card(self, source: dict[str, Any] | None = None, **changes: Any) -> Any:
        """Return the card of the data set; by default its archive is downloaded from the server."""
        file = {"filename": "tiny.tar", "urls": [f"{self.server.url}/tiny.tar"]}
        layout = {"layout": "nifti_volumes", "images": "tiny/images", "labels": "tiny/labels"}
        return volume_card(**{"source": source or {"access": "open", "files": [file]}, "layout": layout, **changes})

    def download(self, **known: Any) -> None:
        """Fetch from the server."""
        file = {"filename": "tiny.tar", "urls": [f"{self.server.url}/tiny.tar"], **known}
        fetch(self.card({"access": "open", "files": [file]}), self.raw, None, None, IMPATIENT)

    def unpack(self, name: str, content: bytes, **source: Any) -> None:
        """Fetch an archive that a person has placed."""
        (self.mirror / name).write_bytes(content)
        given = {"access": "manual", "instructions": "Ask its owner.", "filenames": [name], **source}
        fetch(self.card(given), self.raw, self.mirror, None)

    def convert(self, **changes: Any) -> PreparedDataset:
        """Prepare the data set from this machine."""
        layout = {"layout": "nifti_volumes"}
        local = {"access": "local", "path": str(self.data)}
        card = self.card(local, layout=layout, **changes)
        fetch(card, self.raw, None, None)
        return prepare(card, self.raw, self.out, None)

    def convert_pairs(self, data: Path, layout: dict[str, Any], **changes: Any) -> PreparedDataset:
        """Prepare images with masks from a folder on this machine."""
        card = pair_card(source={"access": "local", "path": str(data)}, layout=layout, **changes)
        fetch(card, self.raw, None, None)
        return prepare(card, self.raw, self.out, None)

    @property
    def left(self) -> str:
        """What lies in the folders of the data set."""
        found = [path.relative_to(self.folder) for root in (self.raw, self.out) for path in sorted(root.rglob("*"))]
        files = [path.as_posix() for path in found if (self.folder / path).is_file()]
        kept = [name for name in files if not name.startswith("raw/unpacked/")]
        return ", ".join([*kept, *(["raw/unpacked/"] if len(kept) < len(files) else [])]) or "nothing"


def zipped(*names: str, content: bytes = b"ok", mode: int = 0) -> bytes:
    """Return a zip with files of the given names."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            info = zipfile.ZipInfo(name)
            info.external_attr = mode << 16
            archive.writestr(info, content, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def linked() -> bytes:
    """Return a tar with a link."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        info = tarfile.TarInfo("tiny/link")
        info.type, info.linkname = tarfile.SYMTYPE, "/etc"
        archive.addfile(info)
    return buffer.getvalue()


def encrypted() -> bytes:
    """Return a zip that says its file is encrypted."""
    content = bytearray(zipped("tiny/a"))
    content[content.index(b"PK\x01\x02") + 8] |= 1
    return bytes(content)
