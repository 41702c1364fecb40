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
    """Record loss, learning rate and what other hooks add, as rows (iteration, series, value).

    The rows are part of the checkpoint, so a continued run has each of them once.

    Args:
        terms: Also record each term of the loss, by its name.
    """

    priority = "NORMAL"
    state_name = "curves"

    def __init__(self, terms: bool = False) -> None:
        self.rows: list[tuple[int, str, float]] = []
        self.terms = terms
        self._sums: dict[str, float] = {}
        self._count = 0

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
        """Record the mean loss and the learning rate of the step, every 200th part of the run."""
        names = [name for name in outputs if name == "loss" or (self.terms and "loss" in name)]
        for name in names:
            self._sums[name] = self._sums.get(name, 0.0) + outputs[name].item()
        self._count += 1
        iteration = runner.iter + 1
        if iteration % max(1, runner.max_iters // POINTS) == 0 or iteration == runner.max_iters:
            for name, total in self._sums.items():
                self.add(runner, iteration, name, total / self._count)
            # The last group is MMEngine's record of the base rate where parameters have rates of their own.
            self.add(runner, iteration, "learning_rate", float(runner.optim_wrapper.param_groups[-1]["lr"]))
            self._sums, self._count = {}, 0

    def write(self, path: Path) -> None:
        """Write the rows as CSV."""
        with replacing(path) as part:
            pd.DataFrame(self.rows, columns=["iteration", "series", "value"]).to_csv(part, index=False)

    def state_dict(self) -> dict[str, Any]:
        """Return the rows and the sum not yet recorded."""
        return {"rows": self.rows, "sums": self._sums, "count": self._count}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` returned."""
        self.rows = list(state["rows"])
        self._sums, self._count = dict(state["sums"]), state["count"]
