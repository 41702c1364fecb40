"""Whether a file is the one a card means: published checksums, and trust on first use where there are none.

What was trusted is kept in `data/raw/<dataset>/trusted.json`, beside the data it speaks about. It outlives the
downloads and the unpacked files, so that a later fetch is held to the first one. It is not a file of `configs/`,
because a job must not change its own inputs; a checksum that everyone shall be held to belongs on the card.
"""

from __future__ import annotations

import hashlib
import threading
from pathlib import Path

from mmseg_ext.data.fetch.signatures import HEAD_BYTES, wrong_content
from mmseg_ext.suite.dataset_card import RemoteFile
from mmseg_ext.suite.errors import InputError
from mmseg_ext.suite.files import hash_file, read_json, write_json

_REPLACE = "The file is damaged or another version: replace it."


class TrustedFiles:
    """SHA-256 and size of files without a published checksum, as they were when first seen.

    Args:
        out: Folder of the fetched data set.
    """

    def __init__(self, out: Path) -> None:
        self.path = out / "trusted.json"
        self._seen: dict[str, dict[str, str | int]] = {}
        self._lock = threading.Lock()

    def known(self) -> dict[str, dict[str, str | int]]:
        """Return sha256 and bytes by file name."""
        recorded = dict(read_json(self.path)) if self.path.is_file() else {}
        return {**recorded, **self._seen}

    def commit(self) -> None:
        """Record the files seen for the first time: they could be unpacked, so they are not merely damaged."""
        if self._seen:
            write_json(self.path, self.known())
            self._seen = {}

    def check(self, name: str, path: Path, sha256: str) -> None:
        """Remember a file seen for the first time; hold it to the record from then on.

        Raises:
            InputError: If the file is another one than the first time.
        """
        with self._lock:
            known = self.known()
            if name not in known:
                self._seen[name] = {"sha256": sha256, "bytes": path.stat().st_size}
            elif known[name]["sha256"] != sha256:
                hint = (
                    f"The file is not the one that was fetched first. If the change is wanted, remove {name!r} from "
                    f"{self.path} and fetch again; if not, put the former file in a mirror folder."
                )
                raise InputError(path, "sha256", sha256, f"{known[name]['sha256']}, trusted on first use", hint)


def verify(path: Path, file: RemoteFile, trusted: TrustedFiles) -> str:
    """Check a file's size, first bytes and checksum.

    Args:
        path: Where it lies; its name may differ from the file's.
        file: What the card says about it.
        trusted: What is known of files without a published checksum.

    Returns:
        The file's SHA-256.

    Raises:
        InputError: If something differs.
    """
    size = path.stat().st_size
    if size == 0 or file.bytes not in (None, size):
        expected = f"{file.bytes}" if file.bytes is not None else "more than none"
        raise InputError(path, "bytes", size, expected, _REPLACE)
    with path.open("rb") as handle:
        wrong = wrong_content(file.filename, handle.read(HEAD_BYTES))
    if wrong is not None:
        raise InputError(path, "content", wrong[0], wrong[1], _REPLACE)
    sha256 = hash_file(path)
    if file.sha256 is not None:
        _compare(path, "sha256", sha256, file.sha256)
    elif file.md5 is not None:
        with path.open("rb") as handle:
            _compare(path, "md5", hashlib.file_digest(handle, "md5").hexdigest(), file.md5)
    else:
        trusted.check(file.filename, path, sha256)
    return sha256


def _compare(path: Path, algorithm: str, found: str, expected: str) -> None:
    if found != expected:
        raise InputError(path, algorithm, found, expected, _REPLACE)
