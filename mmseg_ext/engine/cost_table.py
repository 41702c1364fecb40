"""What each method's network costs, as a table to look at before choosing one.

This module loads no torch; the processes that it starts do, one for each method.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pandas as pd

from mmseg_ext.suite.errors import InputError
from mmseg_ext.suite.files import write_text

HEADINGS = {
    "method": "method",
    "parameters_total": "parameters (M)",
    "parameters_live": "with gradient (M)",
    "flops": "GFLOP",
    "forward_ms": "forward (ms)",
    "forward_backward_ms": "forward + backward (ms)",
    "memory_mb": "peak memory (MiB)",
}
"""Heading of each column of the Markdown table."""

SCALES = {"parameters_total": 1e6, "parameters_live": 1e6, "flops": 1e9}


def measure(files: Sequence[Path], **setting: int) -> Iterator[dict[str, Any]]:
    """Yield one row a method, each measured in a process of its own so that peaks of memory are apart.

    Args:
        files: The methods' configs.
        **setting: Arguments of `mmseg_ext.engine.speed.measure_method` but the first.
    """
    for file in files:
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            found = pool.submit(_measure, file, setting).result()
        machine = found.pop("hardware")
        where = machine["gpu"] or f"{machine['cpu']} ({setting['threads']} of {machine['cores']} cores)"
        shape = "x".join(str(length) for length in found.pop("flops_input"))
        yield {"method": file.stem, **found, "input": shape, **setting, "hardware": where}


def _measure(file: Path, setting: Mapping[str, int]) -> dict[str, Any]:
    from mmseg_ext.engine.speed import measure_method

    return measure_method(file, **setting)


def write_table(rows: Sequence[Mapping[str, Any]], out: Path) -> None:
    """Write rows of `measure` as a CSV file with all values, or as a Markdown table, by the file's suffix.

    Raises:
        InputError: For another suffix.
    """
    check_suffix(out)
    write_text(out, pd.DataFrame(rows).to_csv(index=False) if out.suffix == ".csv" else markdown(rows))


def check_suffix(out: Path) -> None:
    """Raise InputError unless the suffix of a table's file is .csv or .md."""
    if out.suffix not in (".csv", ".md"):
        raise InputError("command line", "--out", str(out), "a file that ends in .csv or .md")


def markdown(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return rows of `measure`, all of one setting, as a Markdown table with a note on how they were measured."""
    lines = [f"| {' | '.join(HEADINGS.values())} |", f"|---|{'---:|' * (len(HEADINGS) - 1)}"]
    lines += [f"| {' | '.join(_cell(name, row[name]) for name in HEADINGS)} |" for row in rows]
    first = rows[0]
    note = (
        f"Input {first['input']}, {first['classes']} classes, float32, on {first['hardware']}. GFLOP: one image "
        f"forward, {first['flops_tool']}. Times: {first['clock']} time of one image in a batch of {first['batch']}, "
        f"the fastest of {first['repeats']}; backward with the method's loss. Memory: peak of both beyond that of the "
        "process before the network was built."
    )
    return "\n".join([*lines, "", note, ""])


def _cell(name: str, value: Any) -> str:
    if isinstance(value, str):
        return value
    return f"{value / SCALES[name]:.2f}" if name in SCALES else f"{value:.0f}"
