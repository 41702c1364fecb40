"""A trained network into the run folder: weights, predictions, facts."""

from __future__ import annotations

import platform
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from mmengine.device import get_device
from torch import Tensor, nn

import mmseg_ext
from mmseg_ext.engine.cost import hardware, network_cost, peak_memory_mb
from mmseg_ext.engine.hooks.curves import CurvesHook
from mmseg_ext.engine.job import Job
from mmseg_ext.engine.predict import CaseReader, Predictor, reveal_names
from mmseg_ext.engine.training_view import write_training_view
from mmseg_ext.evaluation.predictions import hash_predictions, write_prediction
from mmseg_ext.models.encoder_weights import REPORT
from mmseg_ext.noise_robust.paradigm import PlainTraining
from mmseg_ext.suite.files import hash_value, replacing, write_json
from mmseg_ext.suite.run_key import FORMAT_VERSION


@dataclass(frozen=True)
class Selected:
    """Weights chosen by one selection rule."""

    weights: Mapping[str, Tensor]
    iteration: int
    """Iterations they were trained for."""


@dataclass(frozen=True)
class Trained:
    """What training gives."""

    model: nn.Module
    selected: dict[str, Selected]
    """By rule: `last`, `best_val` if there are validation cases, and `best_test` if a variant asks for it."""
    curves: CurvesHook
    seconds: float
    """Wall time of the training, validations and checkpoints among it, over all attempts."""
    paradigm: PlainTraining
    """What made the steps, as training left it."""


def export(job: Job, trained: Trained, out: Path) -> None:
    """Predict the test cases in every variant and write the run folder, whole or not at all."""
    with replacing(out) as folder:
        folder.mkdir()
        job.config.dump(folder / "config.py")
        trained.curves.write(folder / "curves.csv")
        (folder / "weights").mkdir()
        for rule, selected in trained.selected.items():
            torch.save(selected.weights, folder / "weights" / f"{rule}.pth")
        report = Path(job.facts.work_dir) / REPORT
        if report.is_file():
            shutil.copyfile(report, folder / REPORT)
        variants, slices, seconds = _predict(job, trained, folder / "predictions")
        if job.facts.labels:
            trained.model.load_state_dict(trained.selected["last"].weights)
            write_training_view(job, trained.model, trained.paradigm, folder / "predictions")
        write_json(folder / "cost.json", _cost(job, trained, slices, seconds))
        write_json(folder / "run.json", _facts(job, variants))


def _predict(job: Job, trained: Trained, folder: Path) -> tuple[dict[str, Any], int, float]:
    """Write all predictions; return the facts of each variant, the slices segmented and the seconds that took."""
    facts = job.facts
    reveal_names(trained.model, job.task.classes, job.absent)
    predictor = Predictor(trained.model, facts.image_size, facts.fit, facts.batch_size, job.absent, job.seen)
    reader = CaseReader(job.prepared)
    slices, seconds, variants = 0, 0.0, {}
    for name, variant in sorted(job.variants.items()):
        selected = trained.selected[variant.selection]
        trained.model.load_state_dict(selected.weights)
        for case in job.cases["test"]:
            images = reader.images(case)
            start = time.perf_counter()
            labels = predictor.segment(*images, inference=variant.inference)
            seconds += time.perf_counter() - start
            slices += len(labels)
            write_prediction(folder / name / case.dataset, case.case, labels)
        hashes = {path.name: hash_predictions(path) for path in sorted((folder / name).iterdir())}
        variants[name] = {
            "rule": variant.selection,
            "selected_on": "none" if variant.selection == "last" else variant.selection.removeprefix("best_"),
            "inference": variant.inference,
            "iteration": selected.iteration,
            "predictions_sha256": hash_value(hashes),
        }
    return variants, slices, seconds


def _facts(job: Job, variants: dict[str, Any]) -> dict[str, Any]:
    facts = job.facts
    first = job.prepared[job.task.train[0].dataset].card
    return {
        "format": FORMAT_VERSION,
        "run": str(job.planned.id),
        "key": job.key,
        "classes": list(job.task.classes),
        "absent": list(job.absent),
        "seen": list(job.seen),
        "channels": first["channels"],
        "data": {name: data.content_hash for name, data in job.prepared.items()},
        "cases": {name: len(cases) for name, cases in job.cases.items()},
        "patients": {name: len({(case.dataset, case.patient) for case in cases}) for name, cases in job.cases.items()},
        "iterations": facts.max_iters,
        "batch_size": facts.batch_size,
        "image_size": list(facts.image_size),
        "fit": facts.fit,
        "intensity": first["intensity"],
        "layout": job.layout,
        "threads": job.threads,
        "device": get_device(),
        "precision": facts.precision,
        "variants": variants,
        "versions": {
            "python": platform.python_version(),
            "torch": torch.__version__,
            "mmseg_ext": mmseg_ext.__version__,
            "numpy": version("numpy"),
            "mmengine": version("onedl-mmengine"),
            "mmseg": version("onedl-mmsegmentation"),
        },
    }


def _cost(job: Job, trained: Trained, slices: int, seconds: float) -> dict[str, Any]:
    facts = job.facts
    return {
        **network_cost(trained.model, (facts.in_channels, *facts.image_size)),
        "train_images_per_s": facts.max_iters * facts.batch_size / trained.seconds,
        "inference_images_per_s": slices / seconds,
        "peak_memory_mb": peak_memory_mb(),
        "train_wall_s": trained.seconds,
        "predict_wall_s": seconds,
        "device": get_device(),
        "hardware": hardware(),
    }
