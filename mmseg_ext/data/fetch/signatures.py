"""What a file must begin with to be what its name says."""

from __future__ import annotations

import re
from dataclasses import dataclass

HEAD_BYTES = 512
"""Bytes from the start of a file that `wrong_content` needs: a tar's signature stands at byte 257."""


@dataclass(frozen=True)
class _Signature:
    kind: str
    magic: tuple[bytes, ...]
    offset: int = 0


# A zip without entries, or one that spans files, begins differently.
_ZIP = _Signature("a zip archive", (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08"))
_GZIP = _Signature("gzip data", (b"\x1f\x8b",))
_BZIP2 = _Signature("bzip2 data", (b"BZh",))
_XZ = _Signature("xz data", (b"\xfd7zXZ\x00",))
_HDF5 = _Signature("an HDF5 file", (b"\x89HDF\r\n\x1a\n",))
_BY_ENDING = {
    ".zip": _ZIP,
    ".npz": _ZIP,
    ".xlsx": _ZIP,
    ".gz": _GZIP,
    ".tgz": _GZIP,
    ".bz2": _BZIP2,
    ".xz": _XZ,
    ".7z": _Signature("a 7z archive", (b"7z\xbc\xaf\x27\x1c",)),
    ".rar": _Signature("a rar archive", (b"Rar!\x1a\x07",)),
    ".tar": _Signature("a tar archive", (b"ustar",), offset=257),
    ".h5": _HDF5,
    ".hdf5": _HDF5,
    ".png": _Signature("a PNG image", (b"\x89PNG\r\n\x1a\n",)),
}
_PAGE = re.compile(rb"^(\xef\xbb\xbf)?\s*(<!--.*?-->\s*)*<(!doctype html|html|head|body)\b", re.IGNORECASE | re.DOTALL)
_PAGE_ENDINGS = (".html", ".htm")


def wrong_content(filename: str, head: bytes, content_type: str = "") -> tuple[str, str] | None:
    """Say what is wrong with the start of a file, or return None.

    The bytes decide where the ending has a signature: some servers call every file a page. Other files are
    refused when they are an HTML page, by the bytes or by what the server says.

    Args:
        filename: Name of the file.
        head: Its first `HEAD_BYTES` bytes, or all there are.
        content_type: What the server says it is, if it does.

    Returns:
        What was found and what was expected.
    """
    name = filename.lower()
    is_page = _PAGE.match(head) is not None
    for ending, signature in _BY_ENDING.items():
        if name.endswith(ending):
            start = head[signature.offset :]
            if start.startswith(signature.magic):
                return None
            return ("an HTML page" if is_page else f"{bytes(start[:8])!r}"), signature.kind
    if not name.endswith(_PAGE_ENDINGS) and (is_page or content_type.startswith("text/html")):
        return "an HTML page", f"the content of {filename}"
    return None
