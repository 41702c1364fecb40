"""The control of pre-training: the same optimiser steps in all, spent on fine-tuning alone."""

from __future__ import annotations

from collections.abc import Mapping

from mmseg_ext.data.prepared import PreparedDataset
from mmseg_ext.engine.resolve import iterations
from mmseg_ext.suite.errors import InputError
from mmseg_ext.suite.matrix import PlannedRun
from mmseg_ext.suite.stages.pretraining import SAME_BUDGET
from mmseg_ext.suite.suite_config import Schedule
from mmseg_ext.suite.task import Task


def with_pretraining_steps(
    planned: PlannedRun, task: Task, prepared: Mapping[str, PreparedDataset], training_samples: int
) -> Schedule:
    """Return a run's schedule with the optimiser steps of the suite's pre-training added.

    Args:
        planned: The run.
        task: What it is trained on.
        prepared: Data sets of the task.
        training_samples: Slices with labels.

    Raises:
        InputError: If the suite pre-trains nothing, or its steps cannot be known without another data set.
    """
    asked = planned.pretraining
    if asked is None:
        raise InputError(f"method {planned.id.method}", SAME_BUDGET, True, "in the suite, `pretraining` of the track")
    if asked.schedule.iterations is None and asked.source is not None:
        expected = f"`iterations`, since epochs of {asked.source} cannot be counted without it"
        raise InputError("suite", "pretraining.schedule", "epochs", expected)
    unlabelled = 0
    for part in [*task.train, *task.val]:
        splits, data = prepared[part.dataset].splits, prepared[part.dataset]
        unlabelled += sum(len(data.cases[case].samples) for case in splits.loc[splits["subset"] == part.subset, "case"])
    steps = iterations(planned.schedule, training_samples) + iterations(asked.schedule, unlabelled)
    return planned.schedule.model_copy(update={"iterations": steps, "epochs": None})
