"""A tiny prepared data set of volumes in mm, one of images in px, and runs that were predicted on them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from mmseg_ext.data.prepared import PreparedDataset, finish, write_image
from mmseg_ext.evaluation.predictions import write_prediction
from mmseg_ext.suite.files import write_json
from mmseg_ext.suite.run_key import FORMAT_VERSION
from mmseg_ext.suite.task import Task, TaskPart
from mmseg_ext.suite.track import Protocol

CLASSES = ["background", "liver", "tumour"]
SPACING = (3.0, 1.5, 1.0)


@pytest.fixture
def truth() -> dict[str, NDArray[np.uint8]]:
    """Class ids of three volumes; the last has no tumour."""
    volumes = {}
    for number, name in enumerate(("v1", "v2", "v3")):
        labels = np.zeros((4, 16, 12 + number), np.uint8)
        labels[1:3, 3:12, 2:9] = 1
        if name != "v3":
            labels[1:3, 5:8, 4:7] = 2
        volumes[name] = labels
    return volumes


@pytest.fixture
def make_dataset(tmp_path: Path) -> Callable[..., PreparedDataset]:
    """Return a function that writes a prepared data set of the given label maps, all of subset test."""

    def make(
        name: str,
        labels: dict[str, NDArray[np.uint8]],
        unit: str = "mm",
        spacing: tuple[float, float, float] | None = SPACING,
    ) -> PreparedDataset:
        root = tmp_path / "data" / name
        samples = []
        for case, volume in labels.items():
            for index, plane in enumerate(volume):
                sample = f"{case}_{index:03d}"
                write_image(root / "images" / f"{sample}.png", np.zeros_like(plane))
                write_image(root / "labels" / f"{sample}.png", plane)
                size = {"slices": len(volume), "height": plane.shape[0], "width": plane.shape[1]}
                steps = dict(zip(("spacing_z", "spacing_y", "spacing_x"), spacing or (None,) * 3, strict=True))
                value = {"slope": 1, "intercept": 0, "low": 0, "high": 1, "annotator": "", "text": ""}
                key = {"sample": sample, "case": case, "patient": f"p_{case}", "slice": index}
                samples.append({**key, **size, **steps, **value})
        splits = pd.DataFrame(
            [{"case": case, "patient": f"p_{case}", "subset": "test"} for case in labels],
            columns=["case", "patient", "subset"],
        )
        return finish(root, {"dataset": name, "classes": CLASSES, "unit": unit}, samples, splits)

    return make


@pytest.fixture
def task() -> Task:
    part = TaskPart(dataset="volumes", subset="test")
    return Task(task="volumes", title="Volumes", train=[part], test=[part], classes=CLASSES, nsd_tolerance=1.0)


@pytest.fixture
def protocol() -> Protocol:
    return Protocol(protocol="strict", title="Ours", selection="last", inference="plain", scoring="strict")


@pytest.fixture
def write_subset(tmp_path: Path) -> Callable[[dict[str, list[str]]], Path]:
    """Return a function that writes a training subset with the given test cases by data set."""

    def write(cases: dict[str, list[str]]) -> Path:
        rows = [
            {"dataset": dataset, "case": case, "patient": f"p_{case}", "subset": subset}
            for dataset, names in cases.items()
            for case, subset in [("other", "train"), *((name, "test") for name in names)]
        ]
        path = tmp_path / "subset.csv"
        pd.DataFrame(rows).to_csv(path, index=False)
        return path

    return write


@pytest.fixture
def write_run(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes a run folder with predictions of one variant."""

    def write(
        dataset: PreparedDataset,
        predictions: dict[str, NDArray[np.uint8]],
        variant: str = "last_plain",
        **changes: Any,
    ) -> Path:
        folder = tmp_path / "runs" / "supervised" / dataset.name / "unet" / "full" / "seed_3"
        for case, labels in predictions.items():
            write_prediction(folder / "predictions" / variant / dataset.name, case, labels)
        card = {
            "format": FORMAT_VERSION,
            "run": f"supervised/{dataset.name}/unet/full/seed_3",
            "classes": CLASSES,
            "data": {dataset.name: dataset.content_hash},
            "variants": {variant: {"rule": "last", "selected_on": "none", "inference": "plain"}},
        }
        write_json(folder / "run.json", card | changes)
        return folder

    return write
