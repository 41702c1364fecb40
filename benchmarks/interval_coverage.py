"""How often the 95 % interval of a paired difference holds the truth, by number of seeds.

    python -m benchmarks.interval_coverage [--trials N] [--patients P]

Differences are drawn as normal: a part for each seed, a part for each patient, and the rest. The default spreads are
those of DALE against plain training in the suite `label_noise_seeds` (60 patients, 10 seeds), from the mean squares of
seeds, patients and the rest in a two-way analysis of variance.
"""

from __future__ import annotations

from typing import Annotated

import numpy as np
import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

from mmseg_ext.analysis.bootstrap import Estimate, Sample, estimate

SEEDS = (2, 3, 5, 10)
RESAMPLES = 2000


def main(
    trials: Annotated[int, typer.Option(help="Differences drawn for each number of seeds.")] = 1000,
    patients: Annotated[int, typer.Option(help="Patients, of one case each.")] = 60,
    seed_spread: Annotated[float, typer.Option(help="Standard deviation of the part of a seed.")] = 0.0048,
    patient_spread: Annotated[float, typer.Option(help="Standard deviation of the part of a patient.")] = 0.0036,
    rest: Annotated[float, typer.Option(help="Standard deviation of the rest.")] = 0.0174,
) -> None:
    """Print coverage and mean width."""
    random = np.random.default_rng(0)
    table = Table("seeds", "holds the truth", "mean width", title=f"{trials} trials, {patients} patients")
    for seeds in SEEDS:
        found = []
        for _ in track(range(trials), description=f"{seeds} seeds", transient=True):
            parts = random.normal(0, seed_spread, (1, seeds)) + random.normal(0, patient_spread, (patients, 1))
            found.append(interval(parts + random.normal(0, rest, (patients, seeds))))
        held = np.mean([one.low <= 0 <= one.high for one in found])
        width = np.mean([one.high - one.low for one in found])
        table.add_row(str(seeds), f"{held:.1%}", f"{width:.4f}")
    Console().print(table)


def interval(differences: np.ndarray) -> Estimate:
    """Return the interval of differences (patients, seeds)."""
    return estimate(Sample(differences, np.ones_like(differences), len(differences)), RESAMPLES)


if __name__ == "__main__":
    typer.run(main)
