"""Our measures against MedPy and surface-distance: the same masks, one run, ratios of times.

    python -m benchmarks.measures [--reference DIR] [--repeats N]

Timed for every pair, from whole arrays to numbers, on one thread:

- ours: `case_measures`, that is DSC, IoU, HD95, HD95 (max), ASSD and NSD at one tolerance;
- MedPy: `hd95` and `assd`;
- surface-distance: `compute_surface_distances` and `compute_surface_dice_at_tolerance` (NSD only).

Needs the extra `bench`. With `--reference`, also prints the largest difference to every reference value.
"""

from __future__ import annotations

import statistics
import time
from collections import defaultdict
from collections.abc import Callable
from math import isnan
from pathlib import Path
from typing import Annotated, Any

import surface_distance
import typer
from medpy.metric import binary
from rich.console import Console
from rich.progress import track
from rich.table import Table

from benchmarks.reference_pairs import Pair, reference_pairs, synthetic_pairs
from mmseg_ext.evaluation.measures import ClassMeasures, case_measures

TIMED = [
    "chaos3d_liver",
    "chaos2d_seg2",
    "totalseg_fast_vs_full_label5",
    "labelfusion_unet_vs_resunet_label2",
    "busuc_412",
]
"""Real pairs that are timed: one of each source. All pairs are compared in value."""

# Definition: where its value stands in the reference file, and ours for tolerances 1 and 2.
DEFINITIONS: dict[tuple[str, str], Callable[[ClassMeasures, ClassMeasures], float]] = {
    ("scipy", "dice"): lambda one, two: one.dsc,
    ("scipy", "iou"): lambda one, two: one.iou,
    ("scipy", "hd95_pooled"): lambda one, two: one.hd95,
    ("scipy", "hd95_max_of_directed"): lambda one, two: one.hd95_max,
    ("scipy", "assd_pooled"): lambda one, two: one.assd,
    ("medpy", "dc"): lambda one, two: one.dsc,
    ("medpy", "hd95"): lambda one, two: one.hd95,
    ("medpy", "assd"): lambda one, two: one.assd,
    ("surface_distance", "nsd_tol1"): lambda one, two: one.nsd,
    ("surface_distance", "nsd_tol2"): lambda one, two: two.nsd,
}


def ours(pair: Pair, tolerance: float = 1.0) -> ClassMeasures:
    classes = ["background", "object"]
    return case_measures(pair.truth, pair.prediction, classes, pair.spacing, tolerance)[0]


def medpy(pair: Pair) -> tuple[float, float]:
    truth, prediction, spacing = pair.flat
    return binary.hd95(prediction, truth, spacing), binary.assd(prediction, truth, spacing)


def deepmind(pair: Pair) -> float:
    distances = surface_distance.compute_surface_distances(*pair.flat)
    return float(surface_distance.compute_surface_dice_at_tolerance(distances, 1.0))


def seconds(call: Callable[[Pair], Any], pair: Pair) -> float:
    start = time.perf_counter()
    call(pair)
    return time.perf_counter() - start


def time_pairs(pairs: list[Pair], repeats: int) -> Table:
    """Time the three libraries in turn and return medians: our time, and the ratios within each turn."""
    table = Table("pair", "shape", "ours", "MedPy / ours", "surface-distance / ours", "difference to both")
    for pair in track(pairs, "timing"):
        measured, (hd95, assd), nsd = ours(pair), medpy(pair), deepmind(pair)
        difference = max(abs(measured.hd95 - hd95), abs(measured.assd - assd), abs(measured.nsd - nsd))
        turns = [[seconds(call, pair) for call in (ours, medpy, deepmind)] for _ in range(repeats)]
        table.add_row(
            pair.name,
            "x".join(map(str, pair.truth.shape)),
            f"{1e3 * statistics.median(turn[0] for turn in turns):.1f} ms",
            f"{statistics.median(turn[1] / turn[0] for turn in turns):.1f}",
            f"{statistics.median(turn[2] / turn[0] for turn in turns):.1f}",
            f"{difference:.1e}",
        )
    return table


def compare(known: list[tuple[Pair, dict[str, Any]]]) -> Table:
    """Return the largest absolute difference to the reference values, by definition."""
    differences: dict[tuple[str, str], list[tuple[float, str]]] = defaultdict(list)
    for pair, values in track(known, "comparing"):
        one, two = ours(pair, 1.0), ours(pair, 2.0)
        for source, name in DEFINITIONS:
            if source in values:
                found = DEFINITIONS[source, name](one, two)
                differences[source, name].append((abs(found - values[source][name]), pair.name))
            elif not isnan(one.hd95):
                raise ValueError(f"{pair.name}: no reference values, yet both masks hold something")
    table = Table("source", "definition", "pairs", "largest difference", "at")
    for (source, name), found in differences.items():
        largest, where = max(found)
        table.add_row(source, name, str(len(found)), f"{largest:.1e}", where if largest else "-")
    return table


def main(
    reference: Annotated[Path | None, typer.Option(help="Folder of real pairs and reference values.")] = None,
    repeats: Annotated[int, typer.Option(min=1, help="Turns of timing.")] = 5,
) -> None:
    """Time and compare the measures."""
    console = Console(width=140)
    known = list(reference_pairs(reference)) if reference else []
    timed = [*synthetic_pairs(), *(pair for pair, _ in known if pair.name in TIMED)]
    console.print(time_pairs(timed, repeats))
    if known:
        console.print(compare(known))


if __name__ == "__main__":
    typer.run(main)
