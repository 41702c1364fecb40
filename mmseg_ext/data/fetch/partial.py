"""A file that is not here as a whole: `<name>.part`, and `<name>.part.json` that says what it is a part of."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmseg_ext.suite.files import read_json, write_json


class PartialFile:
    """The beginning of a file.

    Args:
        target: Name the whole file will have.
    """

    def __init__(self, target: Path) -> None:
        self.target = target
        self.path = target.with_name(f"{target.name}.part")
        self._record = target.with_name(f"{target.name}.part.json")

    @property
    def size(self) -> int:
        """Bytes that are here and known to belong to one version of the file."""
        return self.path.stat().st_size if self.path.is_file() and self._record.is_file() else 0

    @property
    def total(self) -> int | None:
        """Bytes of the whole file, if the server said so."""
        total = self._known().get("total")
        return None if total is None else int(total)

    @property
    def is_complete(self) -> bool:
        """Whether all bytes are here."""
        known = self._known()
        return bool(known.get("finished", False)) or 0 < self.size == known["total"]

    def begin(self, url: str, headers: Mapping[str, str], total: int | None) -> None:
        """Start anew with the version of the file that an answer's headers describe."""
        self.discard()
        # A weak tag does not promise the same bytes.
        etag = headers.get("ETag", "")
        validator = etag if etag and not etag.startswith("W/") else headers.get("Last-Modified")
        self.path.parent.mkdir(parents=True, exist_ok=True)
        write_json(self._record, {"url": url, "validator": validator, "total": total, "finished": False})

    def range_headers(self, url: str, is_verified: bool) -> dict[str, str]:
        """Return the request headers that continue this file; none where only a new start is safe.

        A validator makes the server start anew when the file has changed. Without one, or at another address,
        only a published checksum can tell whether the parts fit together.
        """
        if self.size == 0:
            return {}
        known = self._known()
        range_ = {"Range": f"bytes={self.size}-"}
        if url == known["url"] and known["validator"]:
            return {**range_, "If-Range": known["validator"]}
        return range_ if is_verified else {}

    def head(self, count: int) -> bytes:
        """Return up to `count` first bytes."""
        with self.path.open("rb") as handle:
            return handle.read(count)

    def finish(self) -> None:
        """Record that all bytes are here; needed where the server did not say how many there are."""
        write_json(self._record, {**self._known(), "finished": True})

    def discard(self) -> None:
        """Forget what is here."""
        self.path.unlink(missing_ok=True)
        self._record.unlink(missing_ok=True)

    def accept(self) -> Path:
        """Give the file its final name and return that."""
        self.path.replace(self.target)
        self._record.unlink()
        return self.target

    def _known(self) -> dict[str, Any]:
        return dict(read_json(self._record)) if self._record.is_file() else {}
