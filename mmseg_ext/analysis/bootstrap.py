"""Hierarchical bootstrap of a mean over patients and seeds.

Patients are drawn with replacement, each with all its cases. Seeds are then drawn with replacement, once a
resample for all patients: a seed is one trained network, so its luck is shared by every case it predicts, and
drawing it anew for each patient would average that luck away. With one seed only patients are drawn. Intervals are
percentiles.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

LEVEL = 0.95
IntervalKind = Literal["patients and seeds", "patients", "none"]
Floats = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Sizes:
    """How much a number rests on."""

    cases: int
    patients: int
    seeds: int

    @property
    def kind(self) -> IntervalKind:
        """What an interval is over; one patient allows none."""
        if self.patients < 2:
            return "none"
        return "patients and seeds" if self.seeds > 1 else "patients"


@dataclass(frozen=True)
class Sample:
    """Values of one measure, summed per patient and seed; undefined values are left out."""

    sums: Floats
    """(patients, seeds): sum over the patient's cases."""
    counts: Floats
    """(patients, seeds): number of those cases."""
    cases: int
    """Distinct cases with a defined value."""

    @property
    def sizes(self) -> Sizes:
        """Cases, patients and seeds with at least one defined value."""
        return Sizes(self.cases, len(self.sums), int(self.sums.shape[1]))


@dataclass(frozen=True)
class Estimate:
    """A mean with its interval; NaN where it is undefined."""

    mean: float
    low: float
    high: float
    kind: IntervalKind


@dataclass(frozen=True)
class Difference:
    """A minus B on the cases and seeds both have."""

    estimate: Estimate
    sizes: Sizes
    p: float
    """Two-sided, not corrected; NaN below two patients."""
    superiority: float = float("nan")
    """Probability that A is better on a patient both are tried on, ties counted half; NaN for a pooled measure."""


def tabulate(frame: pd.DataFrame, value: str) -> Sample:
    """Arrange a column by patient and seed, whatever the order of the rows.

    Args:
        frame: Columns case, patient, seed and `value`; one row per case and seed.
        value: Name of the column.
    """
    defined = frame[frame[value].notna()].sort_values(["patient", "case", "seed"])
    grouped = defined.groupby(["patient", "seed"])[value]
    totals = grouped.agg(["sum", "size"]).reset_index()
    sums, counts = (
        totals.pivot_table(index="patient", columns="seed", values=column, fill_value=0) for column in ("sum", "size")
    )
    return Sample(
        sums.to_numpy(dtype=float),
        counts.to_numpy(dtype=float),
        len(defined[["patient", "case"]].drop_duplicates()),
    )


def mean(sample: Sample) -> float:
    """Return the mean over cases and seeds; NaN if nothing is defined."""
    total = sample.counts.sum()
    return float(sample.sums.sum() / total) if total else float("nan")


def replicates(sample: Sample, resamples: int) -> Floats:
    """Return the mean of each resample, (resamples,).

    Samples of the same shape are resampled alike, so differences between them are paired. A resample in which
    nothing is defined is NaN.
    """
    patients, seeds = draws(sample.sizes.patients, sample.sizes.seeds, resamples)
    total = ((patients @ sample.sums) * seeds).sum(axis=1)
    count = ((patients @ sample.counts) * seeds).sum(axis=1)
    with np.errstate(invalid="ignore"):
        means: Floats = total / count
    return means


@lru_cache(maxsize=64)
def draws(patients: int, seeds: int, resamples: int) -> tuple[Floats, Floats]:
    """Return how often each resample holds each patient, (resamples, patients), and each seed, (resamples, seeds).

    The draws depend on the three numbers alone.
    """
    generator = np.random.default_rng([patients, seeds, resamples])
    by_patient = generator.multinomial(patients, np.full(patients, 1 / patients), size=resamples)
    by_seed = generator.multinomial(seeds, np.full(seeds, 1 / seeds), size=resamples)
    return by_patient.astype(float), by_seed.astype(float)


def estimate(sample: Sample, resamples: int) -> Estimate:
    """Return the mean with its 95 % percentile interval; without one for a single patient."""
    if sample.sizes.kind == "none":
        return Estimate(mean(sample), float("nan"), float("nan"), "none")
    return with_interval(mean(sample), replicates(sample, resamples), sample.sizes)


def with_interval(value: float, values: Floats, sizes: Sizes) -> Estimate:
    """Return a value with the 95 % percentile interval of its replicates; without one for a single patient."""
    if sizes.kind == "none" or np.isnan(values).all():
        return Estimate(value, float("nan"), float("nan"), sizes.kind)
    low, high = np.nanpercentile(values, [50 * (1 - LEVEL), 50 * (1 + LEVEL)])
    return Estimate(value, float(low), float(high), sizes.kind)
