"""What a person sees of a training run."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from mmengine.hooks import Hook
from mmengine.runner import Runner
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from mmseg_ext.engine.hooks.curves import CurvesHook
from mmseg_ext.engine.hooks.stateful import hook_of
from mmseg_ext.engine.hooks.validation import evenly_spaced
from mmseg_ext.registry import HOOKS

LINES = 10
"""Lines printed over a whole run where the output is no terminal."""


@HOOKS.register_module()
class ProgressHook(Hook):
    """Show iteration, loss, validation DSC and the time left: a bar in a terminal, a few lines elsewhere.

    Args:
        title: What is being trained.
    """

    priority = "LOWEST"

    def __init__(self, title: str) -> None:
        self.title = title
        self._console = Console(stderr=True)
        self._bar: Progress | None = None

    def before_train(self, runner: Runner) -> None:
        """Start the clock and, in a terminal, the bar."""
        self._first = runner.iter
        self._start = time.monotonic()
        self._due = set(evenly_spaced(runner.max_iters, LINES))
        if self._first:
            self._console.print(f"{self.title}: resumed after iteration {self._first}", highlight=False)
        if self._console.is_terminal:
            self._bar = Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TextColumn("{task.fields[values]}"),
                TimeRemainingColumn(),
                console=self._console,
            )
            self._task = self._bar.add_task(self.title, total=runner.max_iters, completed=self._first, values="")
            self._bar.start()

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: object = None,
        outputs: Mapping[str, Any] | None = None,
    ) -> None:
        """Move the bar, or print one of the few lines."""
        done = runner.iter + 1
        if self._bar is not None:
            self._bar.update(self._task, completed=done, values=self._values(runner, outputs))
        elif done in self._due:
            left = (time.monotonic() - self._start) / (done - self._first) * (runner.max_iters - done)
            text = f"{self.title}: {done}/{runner.max_iters} {self._values(runner, outputs)}, {left:.0f} s left"
            self._console.print(text, highlight=False, soft_wrap=True)

    def after_train(self, runner: Runner) -> None:
        """Close the bar."""
        self.close()

    def close(self) -> None:
        """Close the bar, also after an error."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def _values(self, runner: Runner, outputs: Mapping[str, Any]) -> str:
        measured = [value for _, series, value in hook_of(runner, CurvesHook).rows if series == "val_dsc"]
        text = f"loss {outputs['loss'].item():.3f}"
        return f"{text}, val DSC {measured[-1]:.3f}" if measured else text
