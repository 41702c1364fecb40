"""RAR archives (version 5) of files that are stored as they are, which need no tool to read.

Written from the public description of the format (rarlab.com, technote): every header is its CRC-32, its length, its
type, flags, and numbers of seven bits a byte, the lowest first.
"""

from __future__ import annotations

import stat
import struct
import zlib
from collections.abc import Iterable
from pathlib import Path

_SIGNATURE = b"Rar!\x1a\x07\x01\x00"
_MAIN, _FILE, _END = 1, 2, 5
_HAS_EXTRA, _HAS_DATA = 1, 2
_IS_FOLDER, _HAS_CRC = 1, 4
_UNIX = 1
_ENCRYPTION, _REDIRECTION = 1, 5
STORED = 0
COMPRESSED = 3 << 7
"""The usual method; what a reader without a decoder must refuse."""


def write_rar(path: Path, files: Iterable[tuple[str, bytes]], method: int = STORED, extra: bytes = b"") -> Path:
    """Write an archive; names that end in a slash are folders.

    Args:
        path: The archive.
        files: Name and content of each.
        method: What the headers call the method of the files; they are stored as they are whichever it is.
        extra: A further record of every file: `link` or `encryption`.
    """
    headers = [_header(_MAIN, 0, _numbers(0))]
    for name, content in files:
        is_folder = name.endswith("/")
        mode = (stat.S_IFDIR if is_folder else stat.S_IFREG) | 0o644
        fields = _numbers(_IS_FOLDER if is_folder else _HAS_CRC, len(content), mode)
        fields += b"" if is_folder else struct.pack("<I", zlib.crc32(content))
        encoded = name.rstrip("/").encode()
        fields += _numbers(method, _UNIX, len(encoded)) + encoded + extra
        flags = _HAS_DATA | (_HAS_EXTRA if extra else 0)
        sizes = (_numbers(len(extra)) if extra else b"") + _numbers(len(content))
        headers.append(_header(_FILE, flags, sizes + fields) + content)
    path.write_bytes(b"".join([_SIGNATURE, *headers, _header(_END, 0, _numbers(0))]))
    return path


def link(target: str) -> bytes:
    """Return the record that makes a file a symbolic link."""
    fields = _numbers(_REDIRECTION, 1, 0, len(target)) + target.encode()
    return _numbers(len(fields)) + fields


def _header(kind: int, flags: int, fields: bytes) -> bytes:
    body = _numbers(kind, flags) + fields
    sized = _numbers(len(body)) + body
    return struct.pack("<I", zlib.crc32(sized)) + sized


def _numbers(*values: int) -> bytes:
    written = bytearray()
    for value in values:
        while value > 0x7F:
            written.append(value & 0x7F | 0x80)
            value >>= 7
        written.append(value)
    return bytes(written)


def encryption() -> bytes:
    """Return the record that says a file is encrypted (AES-256, no check value)."""
    fields = _numbers(_ENCRYPTION, 0, 0) + bytes([15]) + bytes(16) + bytes(16)
    return _numbers(len(fields)) + fields
