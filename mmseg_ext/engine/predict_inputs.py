"""The files a user wants segmented, put together to cases as the training data of a run were."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mmseg_ext.data.convert import image_mask_pairs, nifti_volumes
from mmseg_ext.data.convert.path_patterns import to_regex
from mmseg_ext.suite.errors import InputError
from mmseg_ext.suite.layouts import ArrayFiles, Layout

RESULT_ENDINGS = (".nii.gz", ".png")


def find_inputs(
    files: Sequence[Path], layout: Layout, channels: Sequence[str], out: Path
) -> dict[Path, tuple[Path, ...]]:
    """Return the files of each case by the path of its label map: one, or for volumes with several channels one each.

    Args:
        files: NIfTI volumes or images; which of the two the layout decides.
        layout: Layout the run was trained on; of several channels, its patterns say where their names stand.
        channels: Names of the run's channels.
        out: Folder for the results.

    Raises:
        InputError: If a file is missing or of the wrong kind, two cases would give one result, a channel is missing,
            or the run was trained on arrays, whose values cannot be told from a file.
    """
    if isinstance(layout, ArrayFiles):
        expected = "a run that was trained on images or volumes"
        hint = "How the values of such arrays were made is not known, so no other file can be treated alike."
        raise InputError("command line", "RUN", f"one trained on {layout.layout}", expected, hint)
    endings = nifti_volumes.ENDINGS if layout.is_volume else image_mask_pairs.ENDINGS
    for path in files:
        if not path.is_file():
            raise InputError(path, "file", "nothing", "an existing file")
        if not path.name.lower().endswith(tuple(endings)):
            kind = "a volume" if layout.is_volume else "an image"
            raise InputError(path, "file name", path.name, f"{kind} as the run was trained on: {', '.join(endings)}")
    if layout.is_volume and len(channels) > 1:
        cases = _join_channels(files, layout, channels)
    else:
        cases = [(stem(path, endings), (path,)) for path in files]
    ending = RESULT_ENDINGS[0] if layout.is_volume else RESULT_ENDINGS[1]
    targets: dict[Path, tuple[Path, ...]] = {}
    for case, paths in cases:
        target = out / f"{case}{ending}"
        if target in targets:
            expected = f"names that differ: {target} would be written twice"
            raise InputError(paths[0], "file name", paths[0].name, expected)
        if target.exists() and any(target.samefile(path) for path in paths):
            raise InputError("command line", "--out", str(out), "another folder than the one of the files")
        targets[target] = paths
    return targets


def stem(path: Path, endings: Sequence[str]) -> str:
    """Return a file's name without its ending."""
    ending = next(ending for ending in endings if path.name.lower().endswith(ending))
    return path.name[: -len(ending)]


def _join_channels(
    files: Sequence[Path], layout: Layout, channels: Sequence[str]
) -> list[tuple[str, tuple[Path, ...]]]:
    """Return case names and the files of their channels, in order."""
    # A card of such data always has patterns with the channel in them.
    tails = [_tail(pattern) for pattern in getattr(layout, "image_files", None) or []]
    cases: dict[tuple[Path, str], dict[str, Path]] = {}
    for path in files:
        places = [(path.resolve().parents[tail.count("/")], tail) for tail in tails]
        names = [(folder, path.resolve().relative_to(folder).as_posix(), tail) for folder, tail in places]
        matches = [(folder, to_regex(tail, "[^/]+", channels).fullmatch(name)) for folder, name, tail in names]
        found = next(((folder, match) for folder, match in matches if match), None)
        if found is None:
            expected = f"a name like {' or '.join(tails)} with a channel of {', '.join(channels)}"
            raise InputError(path, "file name", path.name, expected)
        folder, match = found
        cases.setdefault((folder, match["case"]), {})[match["channel"]] = path
    for (folder, case), paths in cases.items():
        if len(paths) != len(channels):
            raise InputError(folder, f"channels of case {case}", sorted(paths), f"all of {', '.join(channels)}")
    return [(case, tuple(paths[name] for name in channels)) for (_, case), paths in cases.items()]


def _tail(pattern: str) -> str:
    """Return the shortest end of a pattern of paths that names case and channel."""
    parts = pattern.split("/")
    ends = ["/".join(parts[start:]) for start in range(len(parts) - 1, -1, -1)]
    return next(end for end in ends if "{case}" in end and "{channel}" in end)
