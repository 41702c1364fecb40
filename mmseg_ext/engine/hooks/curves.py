"""The course of a training run as a table and in TensorBoard."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from mmengine.runner import Runner

from mmseg_ext.engine.hooks.stateful import StatefulHook
from mmseg_ext.registry import HOOKS
from mmseg_ext.suite.files import replacing

POINTS = 200
"""Losses kept of a whole run, at most; each is the mean since the one before."""


@HOOKS.register_module()
class CurvesHook(StatefulHook):
    """Record loss, learning rate and what paradigm and other hooks add, as rows (iteration, series, value).

    Of a paradigm's outputs all are recorded but the parts of the loss, whose names hold a dot.

    The rows are part of the checkpoint, so a continued run has each of them once.
    """

    priority = "NORMAL"
    state_name = "curves"

    def __init__(self) -> None:
        self.rows: list[tuple[int, str, float]] = []
        self._sums: dict[str, float] = {}
        self._counts: dict[str, int] = {}

    def add(self, runner: Runner, iteration: int, series: str, value: float) -> None:
        """Record one value, measured after `iteration` iterations."""
        self.rows.append((iteration, series, value))
        runner.visualizer.add_scalar(series, value, iteration)

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: object = None,
        outputs: Mapping[str, Any] | None = None,
    ) -> None:
        """Record the learning rate of the step and the means of its outputs, every 200th part of the run."""
        for name, value in outputs.items():
            if "." not in name:
                self._sums[name] = self._sums.get(name, 0.0) + value.item()
                self._counts[name] = self._counts.get(name, 0) + 1
        iteration = runner.iter + 1
        if iteration % max(1, runner.max_iters // POINTS) == 0 or iteration == runner.max_iters:
            for name, total in self._sums.items():
                self.add(runner, iteration, name, total / self._counts[name])
            # The last group is MMEngine's record of the base rate where parameters have rates of their own.
            self.add(runner, iteration, "learning_rate", float(runner.optim_wrapper.param_groups[-1]["lr"]))
            self._sums, self._counts = {}, {}

    def write(self, path: Path) -> None:
        """Write the rows as CSV."""
        with replacing(path) as part:
            pd.DataFrame(self.rows, columns=["iteration", "series", "value"]).to_csv(part, index=False)

    def state_dict(self) -> dict[str, Any]:
        """Return the rows and the sums not yet recorded."""
        return {"rows": self.rows, "sums": self._sums, "counts": self._counts}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` returned."""
        self.rows = list(state["rows"])
        self._sums, self._counts = dict(state["sums"]), dict(state["counts"])
