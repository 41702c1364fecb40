"""What a person sees of a training run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mmengine.hooks import Hook
from mmengine.runner import Runner

from mmseg_ext.data.progress import TrainingProgress
from mmseg_ext.engine.hooks.curves import CurvesHook
from mmseg_ext.engine.hooks.stateful import hook_of
from mmseg_ext.registry import HOOKS


@HOOKS.register_module()
class ProgressHook(Hook):
    """Show iteration, loss, validation DSC and the time left: a bar in a terminal, a few lines elsewhere.

    Args:
        title: What is being trained.
    """

    priority = "LOWEST"

    def __init__(self, title: str) -> None:
        self.title = title
        self._progress: TrainingProgress | None = None

    def before_train(self, runner: Runner) -> None:
        """Start the clock and, in a terminal, the bar."""
        self._progress = TrainingProgress(self.title, runner.max_iters, runner.iter, unit="iteration")

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: object = None,
        outputs: Mapping[str, Any] | None = None,
    ) -> None:
        """Move the bar, or print one of the few lines."""
        self._progress.step(runner.iter + 1, lambda: self._values(runner, outputs))

    def after_train(self, runner: Runner) -> None:
        """Close the bar."""
        self.close()

    def close(self) -> None:
        """Close the bar, also after an error."""
        if self._progress is not None:
            self._progress.close()

    def _values(self, runner: Runner, outputs: Mapping[str, Any]) -> str:
        measured = [value for _, series, value in hook_of(runner, CurvesHook).rows if series == "val_dsc"]
        text = f"loss {outputs['loss'].item():.3f}"
        return f"{text}, val DSC {measured[-1]:.3f}" if measured else text
