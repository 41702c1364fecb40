"""Measuring cases during training, and keeping the weights that were best on them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from mmengine.runner import Runner

from mmseg_ext.data.prepared import IGNORED
from mmseg_ext.engine.dataset import cases_of, prepared_datasets, read_subset
from mmseg_ext.engine.hooks.curves import CurvesHook
from mmseg_ext.engine.hooks.stateful import StatefulHook, hook_of
from mmseg_ext.engine.predict import CaseReader, Predictor
from mmseg_ext.registry import HOOKS


class SelectionHook(StatefulHook):
    """Measure the macro DSC of the cases of one subset and keep the best weights.

    Cases are predicted as test cases are (native size, one pass). DSC is averaged over the foreground classes of a
    case, those in neither prediction nor truth left out, then over cases. Of equal values the earlier one stays.

    Args:
        iterations: After which iterations to measure.
        prepared: Folder of each prepared data set by name.
        subset_file: Table of the run's cases; its rows of the hook's subset are used. Without any, nothing is measured.
        image_size: Height and width of the network's input.
        fit: `pad` or `resize`.
        batch_size: Slices in one forward pass.
        labels: Folders of label maps that stand in for those of some data sets, by name.
        unannotated: Class ids that count as ignored, because training must not know them.
    """

    priority = 80
    subset: ClassVar[str]

    def __init__(
        self,
        iterations: Sequence[int],
        prepared: Mapping[str, str],
        subset_file: str,
        image_size: Sequence[int],
        fit: str,
        batch_size: int,
        labels: Mapping[str, str] | None = None,
        unannotated: Sequence[int] = (),
    ) -> None:
        self._unannotated = list(unannotated)
        self.iterations = set(iterations)
        self.spec = {"image_size": (image_size[0], image_size[1]), "fit": fit, "batch_size": batch_size}
        data = prepared_datasets(prepared, labels)
        self.cases = cases_of(read_subset(Path(subset_file)), self.subset, data, Path(subset_file))
        self.reader = CaseReader(data)
        self.best: dict[str, Any] | None = None
        """Keys value, iteration and weights of the best measurement."""

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: object = None, outputs: object = None
    ) -> None:
        """Measure where it is due."""
        iteration = runner.iter + 1
        if not self.cases or iteration not in self.iterations:
            return
        value = self.measure(runner)
        hook_of(runner, CurvesHook).add(runner, iteration, f"{self.subset}_dsc", value)
        if self.best is None or value > self.best["value"]:
            weights = {name: tensor.detach().cpu().clone() for name, tensor in runner.model.state_dict().items()}
            self.best = {"value": value, "iteration": iteration, "weights": weights}

    def measure(self, runner: Runner) -> float:
        """Return the macro DSC; 0 if no case has a foreground class in prediction or truth."""
        predictor = Predictor(runner.model, **self.spec)
        classes = runner.model.num_classes
        scores = []
        for case in self.cases:
            truth = self.reader.labels(case)
            truth[np.isin(truth, self._unannotated)] = IGNORED
            scores.append(case_dsc(predictor.segment(*self.reader.images(case)), truth, classes))
        defined = [score for score in scores if not np.isnan(score)]
        return float(np.mean(defined)) if defined else 0.0

    def state_dict(self) -> dict[str, Any]:
        """Return the best measurement with its weights."""
        return {"best": self.best}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` returned."""
        self.best = state["best"]


@HOOKS.register_module()
class ValidationHook(SelectionHook):
    """Weights that are best on the validation cases."""

    subset = "val"
    state_name = "validation"


@HOOKS.register_module()
class TestSelectionHook(SelectionHook):
    """Weights that are best on the test cases: only for protocols of papers that chose so, see `Protocol.selection`."""

    subset = "test"
    state_name = "test_selection"


def case_dsc(prediction: np.ndarray, truth: np.ndarray, classes: int) -> float:
    """Return the mean DSC over the foreground classes found in either map; NaN if there are none.

    Pixels that the truth ignores count nowhere.
    """
    counted = truth != IGNORED
    pairs = truth[counted].astype(np.intp) * classes + prediction[counted]
    counts = np.bincount(pairs, minlength=classes**2)
    table = counts.reshape(classes, classes)
    both = table.diagonal()[1:]
    total = (table.sum(0) + table.sum(1))[1:]
    found = total > 0
    return float(np.mean(2 * both[found] / total[found])) if found.any() else float("nan")


def evenly_spaced(last: int, count: int) -> list[int]:
    """Return up to `count` iterations spread evenly over 1 to `last`, the last one among them."""
    return sorted({max(1, round(last * index / count)) for index in range(1, count + 1)})
