"""Files found by patterns of paths, grouped by case.

In a pattern `{case}` stands for the case name (every time the same), `{channel}` for the name of a channel,
`{slice}` for the number of a slice, `{part}` for a part of the data whose name is put before the case name, `*` for any
part of a name and `**/` for any folders, none included.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

from mmseg_ext.suite.errors import InputError

_TOKENS = re.compile(r"(\*\*/|\*|\{case\}|\{part\}|\{channel\}|\{slice\})")


def to_regex(pattern: str, case_pattern: str, channels: Sequence[str] = ()) -> re.Pattern[str]:
    """Return a pattern of paths as a regular expression with groups named as the words in braces.

    Raises:
        InputError: If the pattern has no `{case}`, or the case pattern is no regular expression.
    """
    if "{case}" not in pattern:
        raise InputError("data set card", "layout", pattern, "a pattern of paths with {case}")
    parts, seen = [], set()
    for token in _TOKENS.split(pattern):
        name = token.strip("{}")
        if token in ("{case}", "{part}", "{channel}", "{slice}") and name in seen:
            parts.append(f"(?P={name})")
        elif token == "{case}":
            parts.append(f"(?P<case>{case_pattern})")
        elif token == "{part}":
            parts.append("(?P<part>[^/]+)")
        elif token == "{slice}":
            parts.append("(?P<slice>[0-9]+)")
        elif token == "{channel}":
            parts.append(f"(?P<channel>{'|'.join(map(re.escape, channels))})")
        else:
            parts.append({"**/": "(?:[^/]+/)*", "*": "[^/]*"}.get(token, re.escape(token)))
        seen.add(name)
    try:
        return re.compile("".join(parts))
    except re.error as error:
        raise InputError("data set card", "layout.case_pattern", f"{case_pattern} ({error})", "a pattern") from None


def list_files(root: Path) -> list[str]:
    """Return the paths below a folder of all files that are not hidden, sorted, with forward slashes."""
    found = []
    for folder, names, files in os.walk(root):
        names[:] = [name for name in names if not name.startswith((".", "__MACOSX"))]
        place = Path(folder).relative_to(root)
        found += [(place / name).as_posix() for name in files if not name.startswith(".")]
    return sorted(found)


def match_files(
    root: Path, files: Sequence[str], patterns: Sequence[str], case_pattern: str, channels: Sequence[str] = ()
) -> dict[str, list[Path]]:
    """Return the files of every case: those the first pattern finds, in the order of channels, of slices, or of names.

    Args:
        root: Folder the files lie below.
        files: Their paths below it, sorted.
        patterns: Patterns of paths; a case found by one is not looked for by later ones.
        case_pattern: Regular expression a case name has to match as a whole.
        channels: Channel names, in order.
    """
    found: dict[str, list[Path]] = {}
    for pattern in patterns:
        regex = to_regex(pattern, case_pattern, channels)
        matches = [(match, path) for path in files if (match := regex.fullmatch(path))]
        if "{channel}" in pattern:
            matches.sort(key=lambda item: channels.index(item[0]["channel"]))
        if "{slice}" in pattern:
            # Not every source pads its numbers with zeros.
            matches.sort(key=lambda item: int(item[0]["slice"]))
        new: dict[str, list[Path]] = {}
        for match, path in matches:
            case = "_".join([match["part"], match["case"]] if "{part}" in pattern else [match["case"]])
            if case not in found:
                new.setdefault(case, []).append(root / path)
        found |= new
    return found
