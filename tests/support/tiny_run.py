"""A task small enough to train on in seconds, with real configs around it."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pandas as pd

from mmseg_ext.data.prepared import PreparedDataset, finish, write_image
from mmseg_ext.suite.catalogue import Catalogue
from mmseg_ext.suite.matrix import PlannedRun, RunId
from mmseg_ext.suite.paths import Paths
from mmseg_ext.suite.suite_config import Schedule

ROOT = Path(__file__).parents[2]
CARD = """
dataset: boxes
title: Boxes
modality: none
licence: {name: CC0-1.0}
source: {access: local}
layout: {layout: nifti_volumes}
channels: [grey]
classes:
  - {name: background, values: [0]}
  - {name: box, values: [1]}
intensity: {mode: window, low: 0, high: 1000}
fit: pad
unit: mm
split: {kind: derived, train: 0.6, val: 0.2, test: 0.2}
"""
METHOD_CARD = """
method: nano
title: Nano
paper: {title: none}
origin: this project
size: tiny
"""
METHOD = """
_base_ = ["unet_tiny.py"]
model = dict(
    stride=2,
    backbone=dict(widths=(4, 8)),
    decode_head=dict(in_channels=4, in_index=1, dropout_ratio=0.2),
)
"""
CASES = {"a": "train", "b": "train", "c": "val", "d": "test", "e": "test"}


def make_boxes(root: Path, shade: int = 700) -> PreparedDataset:
    """Write a prepared data set of noisy volumes with one bright box each, 3 slices of 20 x 26."""
    rng = np.random.default_rng(5)
    rows = []
    for case in CASES:
        for index in range(3):
            image = rng.integers(0, 300, (20, 26)).astype(np.uint16)
            label = np.zeros((20, 26), np.uint8)
            top, left = rng.integers(2, 10, 2)
            label[top : top + 8, left : left + 9] = 1
            image[label == 1] += shade
            sample = f"{case}_{index}"
            write_image(root / "images" / f"{sample}.png", image)
            write_image(root / "labels" / f"{sample}.png", label)
            rows.append({
                "sample": sample, "case": case, "patient": case, "slice": index, "slices": 3, "height": 20, "width": 26,
                "spacing_z": 2.0, "spacing_y": 1.0, "spacing_x": 1.0, "slope": 1.0, "intercept": 0.0, "low": 0.0,
                "high": 1000.0, "annotator": "", "text": "",
            })  # fmt: skip
    card = {
        "dataset": "boxes", "title": "Boxes", "classes": ["background", "box"], "channels": ["grey"], "unit": "mm",
        "fit": "pad", "is_volume": True, "intensity": {"mode": "window", "low": 0, "high": 1000},
    }  # fmt: skip
    splits = pd.DataFrame({"case": list(CASES), "patient": list(CASES), "subset": list(CASES.values())})
    return finish(root, card, rows, splits)


class TinyRun:
    """Data, configs and subset of a tiny run in a folder.

    Args:
        folder: An empty folder.
    """

    run = RunId("supervised", "boxes", "nano", "full", 3)

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        shutil.copytree(ROOT / "configs", folder / "configs")
        self.write_config("datasets/boxes.yaml", CARD)
        self.write_config("methods/supervised/nano.yaml", METHOD_CARD)
        self.write_config("methods/supervised/nano.py", METHOD)
        make_boxes(folder / "data/prepared/boxes")
        self.subset = folder / "subset.csv"
        rows = [("boxes", case, case, subset) for case, subset in CASES.items()]
        pd.DataFrame(rows, columns=["dataset", "case", "patient", "subset"]).to_csv(self.subset, index=False)

    def write_config(self, name: str, text: str) -> None:
        """Write a file below the configs."""
        path = self.folder / "configs" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    @property
    def catalogue(self) -> Catalogue:
        """The configs as they are now."""
        return Catalogue(self.folder / "configs")

    def paths(self, results: str = "results") -> Paths:
        """The layout, with a results folder of any name."""
        return Paths(self.folder / "data", self.folder / results)

    def planned(self, **changes: object) -> PlannedRun:
        """The run with a schedule of 12 iterations, or other values."""
        schedule = {"image_size": (32, 32), "batch_size": 4, "iterations": 12, "validations": 3, **changes}
        return PlannedRun(self.run, Schedule.model_validate(schedule))

    def train(self, results: str = "results", key: str = "key", variants: tuple[str, ...] = ("last_plain",), **changes):
        """Train, or continue, and return the run folder."""
        from mmseg_ext.engine.train import train_run

        paths = self.paths(results)
        train_run(self.planned(**changes), key, self.catalogue, paths, self.subset, variants, 1)
        return paths.run(self.run)
