"""The one error a user sees for bad input."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from pathlib import Path


class InputError(ValueError):
    """Bad input: names the file, the field, the value found, the value expected and what to do next.

    Args:
        file: The file (or folder) the value stands in.
        field: Dotted path of the field inside the file, or what the value is.
        found: The value found.
        expected: What would have been right, in words.
        hint: What to do next; optional.
    """

    def __init__(self, file: Path | str, field: str, found: object, expected: str, hint: str = "") -> None:
        self.file = str(file)
        self.field = field
        self.found = found
        self.expected = expected
        self.hint = hint
        super().__init__(str(self))

    def __str__(self) -> str:
        text = f"{self.file}: {self.field}: found {self.found!r}, expected {self.expected}"
        return f"{text}. {self.hint}" if self.hint else text


def unknown_name(file: Path | str, field: str, found: str, kind: str, valid: Iterable[str]) -> InputError:
    """Return the error for a name that does not exist, with the valid choices and the nearest one."""
    choices = sorted(valid)
    near = difflib.get_close_matches(found, choices, n=1, cutoff=0.5)
    hint = f"Did you mean {near[0]!r}?" if near else ""
    listed = ", ".join(choices) if choices else "none defined"
    return InputError(file, field, found, f"{kind}: one of {listed}", hint)
