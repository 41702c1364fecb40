"""Check a prepared data set and write down what was found; the data set itself is not touched."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from mmseg_ext.data.checks import near_duplicates as duplicates
from mmseg_ext.data.checks import outliers as apart
from mmseg_ext.data.checks.measure import Measured, measure
from mmseg_ext.data.checks.quality import ClassCounts, Finding, Quality, Spread, SubsetCounts
from mmseg_ext.data.expected import differing_counts
from mmseg_ext.data.prepared import PreparedDataset
from mmseg_ext.data.splits import SUBSETS
from mmseg_ext.suite.errors import InputError
from mmseg_ext.suite.files import replacing, write_json

MIN_INSIDE = 0.05
"""Least share of a case's pixels that should lie between its intensity limits."""
THRESHOLDS = {
    "hash_distance": duplicates.MAX_DISTANCE,
    "correlation": duplicates.MIN_CORRELATION,
    "thumbnail_contrast": duplicates.MIN_CONTRAST,
    "outlier_score": apart.MAX_SCORE,
    "outlier_ratio": apart.MIN_RATIO,
    "inside_limits": MIN_INSIDE,
}
_SIZES = ("slices", "height", "width")
_SPACING = ("spacing_z", "spacing_y", "spacing_x")
_NAMED = 5


def check(prepared: PreparedDataset, out: Path) -> Quality:
    """Check a prepared data set.

    Args:
        prepared: The data set.
        out: Folder for `quality.json`, `cases.csv`, `classes.csv` and `near_duplicates.csv`; replaced if it exists.

    Returns:
        Counts, spreads and findings; a finding is a warning.

    Raises:
        InputError: If a patient is in two subsets, or a file is missing, unreadable or at odds with the tables.
    """
    _check_patients(prepared)
    measured = measure(prepared)
    cases = _cases(prepared, measured)
    classes = _classes(prepared, measured)
    pairs = duplicates.near_duplicates(measured.samples, measured.thumbnails)
    quality = Quality(
        dataset=prepared.name,
        content_sha256=prepared.content_hash,
        thresholds=THRESHOLDS,
        subsets={str(name): _subset_counts(part) for name, part in measured.samples.groupby("subset", sort=False)},
        classes=classes,
        sizes={name: _spread(cases[name]) for name in _SIZES},
        spacing={name.removeprefix("spacing_"): _spread(cases[name]) for name in _SPACING if cases[name].notna().any()},
        values=Spread(low=cases["minimum"].min(), median=cases["maximum"].median(), high=cases["maximum"].max()),
        limits={name: _spread(cases[name]) for name in ("low", "high")},
        findings=[*_count_findings(prepared), *_findings(cases, classes, pairs)],
    )
    with replacing(out) as part:
        part.mkdir()
        write_json(part / "quality.json", quality.model_dump(mode="json"))
        cases.to_csv(part / "cases.csv", index=False)
        pd.DataFrame([row.model_dump() for row in classes]).to_csv(part / "classes.csv", index=False)
        pairs.to_csv(part / "near_duplicates.csv", index=False)
    return quality


def _check_patients(prepared: PreparedDataset) -> None:
    """Raise an error for a patient in two subsets; the same rule as when preparing, on what is there now."""
    subsets = prepared.splits.groupby("patient")["subset"].unique()
    leaks = subsets[subsets.map(len) > 1]
    if len(leaks):
        file = prepared.root / "splits.csv"
        hint = "Scores on such a split say nothing; prepare the data set again."
        raise InputError(file, f"subsets of patient {leaks.index[0]}", sorted(leaks.iloc[0]), "one subset", hint)


def _cases(prepared: PreparedDataset, measured: Measured) -> pd.DataFrame:
    """Return a row a case: subset, size, spacing, limits, foreground, values."""
    described = ["case", "patient", *_SIZES, *_SPACING, "low", "high"]
    cases = prepared.samples[described].groupby("case", sort=False).first()
    by_case = measured.samples.groupby("case", sort=False)
    cases.insert(1, "subset", by_case["subset"].first())
    return cases.assign(
        foreground=by_case["foreground"].sum(),
        empty_samples=by_case["foreground"].agg(lambda pixels: int((pixels == 0).sum())),
        minimum=by_case["minimum"].min(),
        maximum=by_case["maximum"].max(),
        inside=by_case["inside"].mean(),
    ).reset_index()


def _classes(prepared: PreparedDataset, measured: Measured) -> list[ClassCounts]:
    counts = []
    for subset in [name for name in SUBSETS if (measured.samples["subset"] == name).any()]:
        rows = (measured.samples["subset"] == subset).to_numpy()
        pixels, cases = measured.class_pixels[rows], measured.samples.loc[rows, "case"].to_numpy()
        for class_id, name in enumerate(prepared.classes):
            present = pixels[:, class_id] > 0
            counts.append(
                ClassCounts(
                    subset=subset,
                    class_name=name,
                    cases=len(np.unique(cases[present])),
                    samples=int(present.sum()),
                    pixels=int(pixels[:, class_id].sum()),
                    share=float(pixels[:, class_id].sum() / pixels.sum()),
                )
            )
    return counts


def _subset_counts(samples: pd.DataFrame) -> SubsetCounts:
    return SubsetCounts(
        patients=samples["patient"].nunique(),
        cases=samples["case"].nunique(),
        samples=len(samples),
        foreground_samples=int((samples["foreground"] > 0).sum()),
    )


def _spread(values: pd.Series) -> Spread:
    return Spread(low=float(values.min()), median=float(values.median()), high=float(values.max()))


def _count_findings(prepared: PreparedDataset) -> Iterator[Finding]:
    wrong = differing_counts(prepared.card.get("expected_cases", {}), prepared.splits)
    if wrong:
        text = f"not the whole data set: {wrong} cases; scores are not those of the whole"
        yield Finding(kind="case_counts", text=text, cases=[])


def _findings(cases: pd.DataFrame, classes: list[ClassCounts], pairs: pd.DataFrame) -> Iterator[Finding]:
    if len(pairs):
        first = pairs.iloc[0]
        named = f"{first.case_a} ({first.subset_a}) and {first.case_b} ({first.subset_b})"
        both = sorted({*pairs["case_a"], *pairs["case_b"]})
        text = f"{len(pairs)} pairs of cases in different subsets share an image that looks the same, first {named}"
        yield Finding(kind="near_duplicates", text=text, cases=both)
    for subset in dict.fromkeys(row.subset for row in classes):
        absent = [row.class_name for row in classes if row.subset == subset and row.pixels == 0]
        if absent:
            yield Finding(kind="absent_class", text=f"no case in {subset} holds {_listed(absent)}", cases=[])
    constant = cases["minimum"] == cases["maximum"]
    for kind, chosen, what in (
        ("empty_masks", cases["foreground"] == 0, "without any foreground"),
        ("size_outliers", _any_outlier(cases, _SIZES), "of unusual size"),
        ("spacing_outliers", _any_outlier(cases, _SPACING), "of unusual spacing"),
        ("constant_images", constant, "of one grey value throughout"),
        (
            "intensity_limits",
            ~constant & ((cases["inside"] < MIN_INSIDE) | ~(cases["low"] < cases["high"])),
            f"with less than {MIN_INSIDE:.0%} of their pixels between the intensity limits",
        ),
    ):
        names = cases.loc[chosen, "case"].tolist()
        if names:
            text = f"{len(names)} of {len(cases)} cases {what}: {_listed(names)}"
            yield Finding(kind=kind, text=text, cases=names)


def _listed(names: list[str]) -> str:
    """Return the first names, and how many there are beyond them."""
    return ", ".join(names[:_NAMED]) + (f" and {len(names) - _NAMED} more" if len(names) > _NAMED else "")


def _any_outlier(cases: pd.DataFrame, columns: tuple[str, ...]) -> np.ndarray:
    return np.any([apart.outliers(cases[column].to_numpy(float)) for column in columns], axis=0)
