"""The prepared form: the one shape every data set is converted to.

    <dataset>/images/<sample>.png     8- or 16-bit grey, or 8-bit RGB; lossless
    <dataset>/images/<sample>_<channel>.png   16-bit grey, of volumes with several channels
    <dataset>/labels/<sample>.png     8-bit class ids; 255: the pixel counts neither in training nor in evaluation
    <dataset>/maps/<name>/<sample>.png  8-bit maps that the source has beside the labels, where the card names any
    <dataset>/samples.csv             one row a sample (slice of a volume, or image), see COLUMNS
    <dataset>/splits.csv              case, patient, subset
    <dataset>/class_pixels.csv        case, class_name, pixels: label pixels of every class in every case
    <dataset>/card.json               classes, channels, counts, unit, hash of every file, content hash

A stored grey value times `slope` plus `intercept` is the physical value; `low` and `high` are the physical
values that become 0 and 1 for a network. Spacing is in mm, or empty where the source has none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd

from mmseg_ext.suite.errors import InputError
from mmseg_ext.suite.files import hash_tree, read_json, write_json

IGNORED = 255
"""Class id of pixels that count neither in training nor in evaluation."""

COLUMNS = [
    "sample", "case", "patient", "slice", "slices", "height", "width",
    "spacing_z", "spacing_y", "spacing_x", "slope", "intercept", "low", "high", "annotator", "text",
]  # fmt: skip
TEXT_COLUMNS = {name: str for name in ("sample", "case", "patient", "annotator", "text")}


# Half the time of OpenCV's own choice at about the same size, in photographs, slices and label maps.
_PNG = [
    cv2.IMWRITE_PNG_COMPRESSION, 1,
    cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_UP,
    cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_RLE,
]  # fmt: skip


@dataclass(frozen=True)
class Case:
    """One patient volume or one image: the unit of every statistic."""

    dataset: str
    case: str
    patient: str
    samples: tuple[str, ...]
    """Names of the slices in order, or of the one image."""
    spacing: tuple[float, float, float] | None
    """Distance in mm between slices, rows and columns."""


class PreparedDataset:
    """A prepared data set on disk.

    Args:
        root: Its folder.
        labels: Folder of label maps `<sample>.png` that stand in for its own.

    Raises:
        InputError: If the folder holds no finished prepared data set.
    """

    def __init__(self, root: Path, labels: Path | None = None) -> None:
        self.root = root
        self.labels = root / "labels" if labels is None else labels
        self.card: dict[str, Any] = read_json(root / "card.json")
        self.name: str = self.card["dataset"]
        numbers = {column: [""] for column in COLUMNS if column not in TEXT_COLUMNS}
        self.samples = pd.read_csv(root / "samples.csv", dtype=TEXT_COLUMNS, keep_default_na=False, na_values=numbers)

    @property
    def classes(self) -> list[str]:
        """Class names by id, background first."""
        return list(self.card["classes"])

    @property
    def unit(self) -> str:
        """Unit of distances: mm or px."""
        return str(self.card["unit"])

    @property
    def content_hash(self) -> str:
        """Hash over every file of the data set but `card.json`."""
        return str(self.card["content_sha256"])

    @cached_property
    def splits(self) -> pd.DataFrame:
        """Columns case, patient, subset."""
        return pd.read_csv(self.root / "splits.csv", dtype=str, keep_default_na=False)

    @cached_property
    def class_pixels(self) -> pd.DataFrame:
        """Columns case, class_name, pixels."""
        text = {"case": str, "class_name": str}
        return pd.read_csv(self.root / "class_pixels.csv", dtype=text, keep_default_na=False)

    @cached_property
    def cases(self) -> dict[str, Case]:
        """Cases by name, in the order of the table."""
        found = {}
        for name, rows in self.samples.groupby("case", sort=False):
            ordered = rows.sort_values("slice")
            first = ordered.iloc[0]
            spacing = (float(first.spacing_z), float(first.spacing_y), float(first.spacing_x))
            known = None if np.isnan(first.spacing_y) else spacing
            found[str(name)] = Case(self.name, str(name), first.patient, tuple(ordered["sample"]), known)
        return found

    def image(self, sample: str) -> np.ndarray:
        """Return the stored image of a sample: (H, W) uint8 or uint16, (H, W, 3) uint8 RGB, or (H, W, C) uint16."""
        channels = self.card["channels"]
        if self.card["is_volume"] and len(channels) > 1:
            return np.stack([read_map(self.root / "images" / f"{sample}_{name}.png") for name in channels], -1)
        stored = read_map(self.root / "images" / f"{sample}.png")
        return stored[:, :, ::-1] if stored.ndim == 3 else stored

    def label(self, sample: str) -> np.ndarray:
        """Return the class ids of a sample: (H, W) uint8."""
        return read_map(self.labels / f"{sample}.png")

    def map_file(self, name: str, sample: str) -> Path:
        """Return where a further map of a sample lies, if its source has one."""
        return self.root / "maps" / name / f"{sample}.png"

    def label_volume(self, case: str) -> np.ndarray:
        """Return the class ids of a case: (slices, H, W) uint8."""
        return np.stack([self.label(sample) for sample in self.cases[case].samples])


def channel_images(sample: str, values: np.ndarray, channels: Sequence[str]) -> dict[str, np.ndarray]:
    """Return the image of a sample as files by name: one, or for (H, W, C) uint16 values one a channel."""
    if values.ndim == 3 and values.dtype == np.uint16:
        return {f"{sample}_{name}.png": values[:, :, index] for index, name in enumerate(channels)}
    return {f"{sample}.png": values}


def write_image(path: Path, values: np.ndarray) -> None:
    """Write (H, W) uint8/uint16 or (H, W, 3) uint8 RGB as PNG.

    Raises:
        OSError: If the disk is full or the file cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    stored = values[:, :, ::-1] if values.ndim == 3 else values
    write_png(path, stored, _PNG)


def write_png(path: Path, stored: np.ndarray, settings: Sequence[int]) -> None:
    """Write an array as OpenCV has it, BGR if it has colours, as PNG.

    Raises:
        OSError: If the disk is full or the file cannot be written.
    """
    written, content = cv2.imencode(".png", stored, settings)
    if not written:
        raise ValueError(f"could not encode {path.name}: {stored.shape} {stored.dtype}")
    # OpenCV's own way to a file says nothing when the disk is full.
    path.write_bytes(content.tobytes())


def finish(
    root: Path, card: dict[str, Any], samples: Sequence[dict[str, Any]], splits: pd.DataFrame
) -> PreparedDataset:
    """Write the tables and, last, `card.json` with the content hash; images and labels are there already.

    Args:
        root: Folder being prepared.
        card: What `card.json` holds besides counts and hashes: dataset, classes, channels, unit, fit, …
        samples: Rows with the keys COLUMNS.
        splits: Columns case, patient, subset.
    """
    table = pd.DataFrame(samples, columns=COLUMNS)
    table.to_csv(root / "samples.csv", index=False)
    splits.to_csv(root / "splits.csv", index=False)
    files = [path for path in root.rglob("*") if path.is_file() and path.name != "card.json"]
    counts = {"samples": len(table), "cases": table["case"].nunique(), "patients": table["patient"].nunique()}
    write_json(root / "card.json", {**card, "counts": counts, "content_sha256": hash_tree(root, files)})
    return PreparedDataset(root)


def read_map(path: Path) -> np.ndarray:
    """Read a PNG file as it is stored.

    Raises:
        InputError: If it is missing or no image.
    """
    values = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if values is None:
        raise InputError(path, "file", "unreadable or missing", "a PNG file", "Run the stage that makes it again.")
    return values
