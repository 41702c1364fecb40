"""How a trained network and its paradigm see the training cases, whose labels were noisy."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from mmseg_ext.data.prepared import write_image
from mmseg_ext.engine.dataset import PreparedSlices, stack_samples
from mmseg_ext.engine.fit import fit_to
from mmseg_ext.engine.job import Job
from mmseg_ext.engine.predict import CaseReader, Predictor
from mmseg_ext.evaluation.predictions import write_prediction
from mmseg_ext.noise_robust.look_ahead import random_state, same_random_numbers
from mmseg_ext.noise_robust.paradigm import PlainTraining


def write_training_view(job: Job, model: torch.nn.Module, paradigm: PlainTraining, folder: Path) -> None:
    """Predict the training cases, and write the paradigm's maps of them, all at native size.

    Args:
        job: The run; its labels stand in for the true ones.
        model: The network with its last weights.
        paradigm: As training left it.
        folder: Gets `training/<dataset>/<case>.npz`, and `training_maps/<map>/<dataset>/<sample>.png` with the values
            0 to 1 as 0 to 255.
    """
    facts = job.facts
    predictor = Predictor(model, facts.image_size, facts.fit, facts.batch_size)
    reader = CaseReader(job.prepared)
    for case in job.cases["train"]:
        write_prediction(folder / "training" / case.dataset, case.case, predictor.segment(*reader.images(case)))
    slices = PreparedSlices(
        facts.prepared,
        facts.subset_file,
        facts.image_size,
        facts.fit,
        augmentation={},
        seed=facts.seed,
        labels=facts.labels,
        coordinates=True,
    )
    for item, (dataset, sample) in enumerate(slices.samples):
        native = job.prepared[dataset].label(sample).shape
        fit = fit_to(native, facts.image_size, facts.fit)
        with torch.no_grad(), same_random_numbers(random_state()):
            maps = paradigm.maps(model, stack_samples([slices[0, item]]))
        for name, values in maps.items():
            grey = (values[0].cpu().numpy() * 255).round().astype(np.uint8)
            write_image(folder / "training_maps" / name / dataset / f"{sample}.png", fit.labels_to_native(grey))
