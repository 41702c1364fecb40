"""Noisy labels: where a condition asks for label noise, one set of label maps a data set."""

from __future__ import annotations

from mmseg_ext.suite.catalogue import Catalogue
from mmseg_ext.suite.components import PACKAGE, hash_sources
from mmseg_ext.suite.files import hash_value
from mmseg_ext.suite.label_noise import NoisyLabels
from mmseg_ext.suite.matrix import PlannedRun
from mmseg_ext.suite.need import Need
from mmseg_ext.suite.paths import Paths


def needs(planned: PlannedRun, catalogue: Catalogue, paths: Paths) -> list[Need]:
    """Return the noisy labels of every data set the run trains or validates on; none for true labels."""
    run = planned.id
    noise = catalogue.track(run.track, "run", "track").conditions[run.condition].label_noise
    if noise is None:
        return []
    task = catalogue.task(run.task, "run", "task")
    used: dict[str, set[str]] = {}
    for part in [*task.train, *task.val]:
        used.setdefault(part.dataset, set()).add(part.subset)
    found = []
    for dataset, subsets in used.items():
        labels = NoisyLabels.model_validate({"noise": noise, "subsets": sorted(subsets)})
        folder = paths.results / "label_noise" / dataset / f"{noise.family}_{hash_value(labels.settings)[:8]}"
        code = hash_sources([PACKAGE / "data" / "label_noise" / "corrupt.py"])
        recipe = {"labels": labels.settings, "code": code}
        found.append(Need("labels", "label_noise", folder, recipe, dataset=dataset, datasets=(dataset,)))
    return found
