"""A plausible finished suite on disk: prepared data, plan, runs of which some are missing, controls.

Three methods of known order on a task of volumes and a task of images, under two conditions.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy import ndimage
from support.fake_plan import CLASSES, CONDITIONS, FAILED, METHODS, SIZE, UNITS, FakeSuite, key_of, plan_of

from mmseg_ext.data.checks.check import check
from mmseg_ext.data.prepared import COLUMNS, PreparedDataset, finish, write_image
from mmseg_ext.suite.files import write_json, write_text
from mmseg_ext.suite.matrix import RunId


def make_suite(root: Path, seeds: tuple[int, ...] = (0, 1, 2), cases: int = 12) -> FakeSuite:
    """Write a suite below `root`; commands must run with `root` as the current directory."""
    suite = FakeSuite(root, seeds=seeds)
    prepared = {task: _prepare(suite.paths.prepared(task), task, cases) for task in CLASSES}
    suite.runs = sorted(
        RunId("supervised", task, method, condition, seed)
        for task in CLASSES
        for method in METHODS
        for condition in CONDITIONS
        for seed in seeds
    )
    for run in suite.runs:
        if run == FAILED:
            failure = {"stage": "train", "reason": "loss is NaN (learning rate 0.1)", "iteration": 37}
            write_json(suite.paths.work(key_of(run)) / "failure.json", failure)
        else:
            _write_run(suite, run, prepared[run.task])
    for task, data in prepared.items():
        check(data, suite.paths.checks(task))
        _write_controls(suite.paths.controls(task) / "cases.csv", task, data)
    write_json(suite.plan, plan_of(suite))
    return suite


def case_row(run: RunId, case: str, patient: str, class_id: int, **values: Any) -> dict[str, Any]:
    """A row of a table of cases; `values` replaces columns."""
    row = {
        "track": run.track, "task": run.task, "method": run.method, "condition": run.condition, "seed": run.seed,
        "protocol": "strict", "dataset": run.task, "case": case, "patient": patient, "class_id": class_id,
        "class_name": f"class_{class_id}", "status": "ok", "dsc": 0.8, "iou": 0.7, "hd95": 3.0, "hd95_max": 4.0,
        "assd": 1.0, "nsd": 0.9, "intersection": 80, "prediction": 100, "truth": 100, "unit": "mm",
    }  # fmt: skip
    return {**row, **values}


def _prepare(root: Path, task: str, cases: int) -> PreparedDataset:
    rows, splits, pixels = [], [], []
    depth = 6 if UNITS[task] == "mm" else 1
    for index in range(cases):
        case = f"case_{index:03d}"
        rng = np.random.default_rng([index, depth])
        image, label = _phantom(rng, depth, len(CLASSES[task]) - 1)
        for z in range(depth):
            sample = f"{case}_{z:02d}"
            grey = image[z]
            write_image(root / "images" / f"{sample}.png", _skin(grey) if depth == 1 else grey)
            write_image(root / "labels" / f"{sample}.png", label[z])
            spacing = (5.0, 1.0, 1.0) if depth > 1 else ("", "", "")
            values = [
                sample,
                case,
                f"patient_{index:03d}",
                z,
                depth,
                SIZE,
                SIZE,
                *spacing,
                1.0,
                0.0,
                0.0,
                255.0,
                "",
                "",
            ]
            rows.append(dict(zip(COLUMNS, values, strict=True)))
        splits.append({"case": case, "patient": f"patient_{index:03d}", "subset": "test"})
        counts = np.bincount(label.ravel(), minlength=len(CLASSES[task]))
        pixels += [(case, name, int(n)) for name, n in zip(CLASSES[task], counts, strict=True)]
    pd.DataFrame(pixels, columns=["case", "class_name", "pixels"]).to_csv(root / "class_pixels.csv", index=False)
    card = {
        "dataset": task, "title": task.replace("_", " ").title(), "classes": CLASSES[task], "channels": ["ct"],
        "unit": UNITS[task], "fit": "resize", "is_volume": depth > 1, "modality": "simulated", "licence": "CC0-1.0",
        "class_voxels": {}, "skipped": {},
    }  # fmt: skip
    return finish(root, card, rows, pd.DataFrame(splits))


def _phantom(rng: np.random.Generator, depth: int, classes: int) -> tuple[np.ndarray, np.ndarray]:
    z, y, x = np.mgrid[:depth, :SIZE, :SIZE].astype(float)
    centre = SIZE / 2
    body = ((y - centre) / 27) ** 2 + ((x - centre) / 29) ** 2 < 1
    image, label = np.where(body, 90.0, 10.0), np.zeros(z.shape, np.uint8)
    for index in range(classes):
        angle = 2 * np.pi * index / max(classes, 2) + rng.normal(0, 0.2)
        offset = 13 if classes > 1 else 4
        cy, cx = centre + offset * np.sin(angle), centre + offset * np.cos(angle)
        ry, rx = rng.uniform(6, 10, 2) * (1 if classes > 1 else 1.4)
        organ = ((y - cy) / ry) ** 2 + ((x - cx) / rx) ** 2 + ((z - (depth - 1) / 2) / (0.75 * depth)) ** 2 < 1
        image[organ], label[organ] = 130 + 30 * index, index + 1
    noise = ndimage.gaussian_filter(rng.normal(0, 40, image.shape), (0, 1, 1))
    return np.clip(image + noise, 0, 255).astype(np.uint8), label


def _skin(grey: np.ndarray) -> np.ndarray:
    tint = np.stack([235 - 0.55 * grey, 200 - 0.8 * grey, 180 - 0.8 * grey], axis=-1)
    return np.clip(tint, 0, 255).astype(np.uint8)


def _predict(truth: np.ndarray, run: RunId, index: int) -> np.ndarray:
    """Shift and fray every class; the worse the method, the more."""
    rng = np.random.default_rng([index, run.seed, *run.method.encode(), *run.condition.encode()])
    off = METHODS[run.method] * CONDITIONS[run.condition] * np.random.default_rng(index).uniform(0.5, 2.2)
    labels = np.zeros_like(truth)
    for class_id in range(1, int(truth.max()) + 1):
        mask = (truth == class_id).astype(float)
        mask = ndimage.shift(mask, (0, *rng.normal(0, 2.2 * off, 2)), order=1)
        noise = ndimage.gaussian_filter(rng.normal(0, 1, truth.shape), (0, 2.5, 2.5)) * 5
        labels[ndimage.gaussian_filter(mask, (0, 1, 1)) + 0.35 * off * noise > 0.5] = class_id
    return labels


def _rows(run: RunId, data: PreparedDataset, case: str, labels: np.ndarray) -> list[dict[str, Any]]:
    truth = data.label_volume(case)
    rows = []
    for class_id in range(1, len(data.classes)):
        found, wanted = labels == class_id, truth == class_id
        both, sizes = int((found & wanted).sum()), (int(found.sum()), int(wanted.sum()))
        empty = (sizes[0] == 0, sizes[1] == 0)
        status = {(False, False): "ok", (True, True): "both_empty", (True, False): "missed"}.get(empty, "spurious")
        dsc = 2 * both / sum(sizes) if sum(sizes) else np.nan
        far = np.nan if status == "both_empty" else (1 - dsc) * (40 if status == "ok" else 90.5)
        counts = {"intersection": both, "prediction": sizes[0], "truth": sizes[1]}
        measures = {
            "dsc": dsc,
            "iou": dsc / (2 - dsc),
            "nsd": dsc**0.7,
            "hd95": far,
            "hd95_max": 1.2 * far,
            "assd": far / 4,
        }
        name = {"class_name": data.classes[class_id], "status": status, "unit": data.unit}
        rows.append(case_row(run, case, data.cases[case].patient, class_id, **name, **measures, **counts))
    return rows


def _write_run(suite: FakeSuite, run: RunId, data: PreparedDataset) -> None:
    folder = suite.paths.run(run)
    predictions = folder / "predictions" / "last_plain" / run.task
    predictions.mkdir(parents=True)
    rows, digest = [], hashlib.sha256()
    for index, case in enumerate(data.cases):
        labels = _predict(data.label_volume(case), run, index)
        np.savez_compressed(predictions / f"{case}.npz", labels=labels)
        digest.update(labels.tobytes())
        rows += _rows(run, data, case, labels)
    pd.DataFrame(rows).to_csv(folder / "cases.csv", index=False)
    steps = np.arange(10, 241, 10)
    rng = np.random.default_rng([run.seed, *run.method.encode()])
    loss = np.exp(-steps / 80) + METHODS[run.method] * 0.3 + rng.normal(0, 0.02, len(steps))
    curves = pd.DataFrame({"iteration": steps, "series": "loss", "value": loss})
    dsc = pd.DataFrame({"iteration": steps[5::6], "series": "val_dsc", "value": 0.95 - 0.5 * loss[5::6]})
    pd.concat([curves, dsc]).to_csv(folder / "curves.csv", index=False)
    scale = 1 + list(METHODS).index(run.method)
    cost = {
        "parameters_total": 1_900_000 * scale, "parameters_live": 1_900_000 * scale, "flops": 0.9e9 * scale**2,
        "flops_tool": "torch FlopCounterMode", "flops_input": [1, SIZE, SIZE], "train_images_per_s": 60.0 / scale,
        "inference_images_per_s": 180.0 / scale, "peak_memory_mb": 700.0 * scale, "train_wall_s": 41.0 * scale,
        "predict_wall_s": 3.5, "device": "cpu", "hardware": {"cpu": "AMD EPYC", "cores": 2, "gpu": None},
    }  # fmt: skip
    write_json(folder / "cost.json", cost)
    counts = {"train": 40, "val": 8, "test": len(data.cases)}
    variant = {"rule": "last", "selected_on": "none", "inference": "plain", "iteration": 240}
    record = {
        "format": 1, "run": str(run), "key": key_of(run), "classes": data.classes, "channels": ["ct"],
        "data": {run.task: data.content_hash}, "cases": counts, "patients": counts, "iterations": 240, "batch_size": 8,
        "image_size": [SIZE, SIZE], "fit": "resize", "intensity": {"mode": "window", "low": 0, "high": 255},
        "threads": 1,
        "device": "cpu", "precision": "fp32", "layout": {},
        "variants": {"last_plain": {**variant, "predictions_sha256": digest.hexdigest()}},
        "versions": {"python": "3.11.7", "torch": "2.9.0", "numpy": "2.4.6", "mmseg_ext": "0.1.0"},
    }  # fmt: skip
    write_json(folder / "run.json", record)


def _write_controls(path: Path, task: str, data: PreparedDataset) -> None:
    rows = []
    for name in ("oracle", "empty", "dilated"):
        run = RunId("control", task, name, "control", 0)
        for case in data.cases:
            truth = data.label_volume(case)
            grown = ndimage.grey_dilation(truth, (1, 3, 3))
            labels = {
                "oracle": truth,
                "empty": np.zeros_like(truth),
                "dilated": np.where(truth > 0, truth, grown),
            }[name]
            rows += _rows(run, data, case, labels)
    path.parent.mkdir(parents=True)
    pd.DataFrame(rows).to_csv(path, index=False)


def write_configs(root: Path, claims: str, published: str) -> Path:
    """Write one paper's claims and published numbers; return the configuration folder."""
    write_text(root / "configs" / "claims" / "paper.yaml", claims)
    write_text(root / "configs" / "published" / "paper.csv", published)
    return root / "configs"
