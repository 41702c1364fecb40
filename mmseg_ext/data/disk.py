"""Errors of the disk as errors of the user's input: one line that says what to do."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mmseg_ext.suite.errors import InputError

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@contextmanager
def clear_disk_errors(file: Path, purpose: str, hint: str) -> Iterator[None]:
    """Turn an `OSError` into an `InputError`.

    Args:
        file: The file that is worked on.
        purpose: What space is needed for, in words.
        hint: What to do once there is space.
    """
    try:
        yield
    except OSError as error:
        if error.errno in _NO_ROOM:
            raise InputError(
                file, "disk", error.strerror, f"room for {purpose}", f"Free some space and {hint}."
            ) from None
        raise InputError(file, "disk", str(error), "names and files that can be written") from None
