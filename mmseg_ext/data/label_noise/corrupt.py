"""The stage `label_noise`: noisy label maps of one data set, with a record of what was done."""

from __future__ import annotations

import math
import zlib
from pathlib import Path

import numpy as np
import pandas as pd

from mmseg_ext.data.border import blur_of
from mmseg_ext.data.label_noise import fuzzy_border, outlines
from mmseg_ext.data.prepared import IGNORED, PreparedDataset, write_image
from mmseg_ext.data.progress import progress
from mmseg_ext.suite.errors import InputError
from mmseg_ext.suite.files import hash_tree, hash_value, replacing, write_json
from mmseg_ext.suite.label_noise import (
    DistanceBandNoise,
    ElasticNoise,
    FuzzyNoise,
    MarkovNoise,
    NoisyLabels,
    PolygonNoise,
    RatioNoise,
    UniformNoise,
)

TABLE_COLUMNS = ["sample", "case", "subset", "true_pixels", "noisy_pixels", "dice"]


def corrupt(data: PreparedDataset, labels: NoisyLabels, out: Path) -> pd.DataFrame:
    """Write noisy label maps of the samples in some subsets, all or nothing.

    Args:
        data: The prepared data set; nothing of it changes.
        labels: Family and subsets.
        out: Folder of `<sample>.png`, `labels.csv` (TABLE_COLUMNS) and, last, `record.json`; replaced if it exists.

    Returns:
        The table.

    Raises:
        InputError: If the data set has more than one foreground class, or the noise would empty a mask.
    """
    if len(data.classes) != 2:
        card = data.root / "card.json"
        raise InputError(card, "classes", data.classes, "background and one class, for label noise on masks")
    subsets = dict(zip(data.splits["case"], data.splits["subset"], strict=True))
    chosen = [(case, sample) for case in data.cases.values() for sample in case.samples]
    chosen = [(case, sample) for case, sample in chosen if subsets.get(case.case) in labels.subsets]
    changed = _changed(labels, [sample for _, sample in chosen])
    rows = []
    with replacing(out) as part:
        part.mkdir()
        for case, sample in progress(chosen, f"label noise {data.name}"):
            truth = data.label(sample)
            noisy = noisy_label(data, sample, labels) if sample in changed else truth
            write_image(part / f"{sample}.png", noisy)
            counts = int((truth == 1).sum()), int((noisy == 1).sum())
            realised = fuzzy_border.dice(noisy == 1, truth == 1)
            rows.append((sample, case.case, subsets[case.case], *counts, round(realised, 6)))
        table = pd.DataFrame(rows, columns=TABLE_COLUMNS)
        table.to_csv(part / "labels.csv", index=False)
        files = [path for path in part.iterdir() if path.is_file()]
        record = {
            "dataset": data.name,
            "data_sha256": data.content_hash,
            **labels.settings,
            "samples": len(table),
            "dice_to_truth": {
                str(subset): {"mean": round(values.mean(), 6), "min": values.min()}
                for subset, values in table.groupby("subset")["dice"]
            },
            "labels_sha256": hash_tree(part, files),
        }
        write_json(part / "record.json", record)
    return table


def noisy_label(data: PreparedDataset, sample: str, labels: NoisyLabels) -> np.ndarray:
    """Return the noisy label (H, W) uint8 of one sample; a label without foreground and ignored pixels stay.

    Raises:
        InputError: If nothing of the mask would be left.
    """
    truth = data.label(sample)
    mask = truth == 1
    if not mask.any():
        return truth
    rng = np.random.Generator(np.random.PCG64([labels.noise.seed, zlib.crc32(sample.encode())]))
    found = _apply(data, sample, mask, labels, rng)
    noisy = np.where(truth == IGNORED, IGNORED, found).astype(np.uint8)
    if not (noisy == 1).any():
        expected = "at least one pixel left of every mask"
        raise InputError(data.root, f"mask of {sample} under {labels.noise}", 0, expected, "Use weaker noise.")
    return noisy


def _apply(
    data: PreparedDataset, sample: str, mask: np.ndarray, labels: NoisyLabels, rng: np.random.Generator
) -> np.ndarray:
    match labels.noise:
        case RatioNoise() as noise:
            return outlines.ratio(mask, noise, rng)
        case MarkovNoise() as noise:
            return outlines.markov(mask, noise, rng)
        case DistanceBandNoise() as noise:
            return outlines.distance_band(mask, noise, rng)
        case PolygonNoise() as noise:
            return outlines.polygon(mask, noise, rng)
        case ElasticNoise() as noise:
            return outlines.elastic(mask, noise, rng)
        case FuzzyNoise() as noise:
            return fuzzy_border.fuzzy(mask, blur_of(data, sample), noise, rng)
        case UniformNoise() as noise:
            return fuzzy_border.uniform(mask, blur_of(data, sample), noise, rng)


def _changed(labels: NoisyLabels, samples: list[str]) -> set[str]:
    """Return the samples to change: all, or under `ratio` the first ones in the order of a hash."""
    if not isinstance(labels.noise, RatioNoise):
        return set(samples)
    ordered = sorted(samples, key=lambda sample: hash_value([labels.noise.seed, sample]))
    return set(ordered[: math.ceil(labels.noise.images * len(samples) - 1e-9)])
