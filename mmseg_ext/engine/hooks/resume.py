"""Checkpoints from which a killed run continues as if nothing had happened."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner

from mmseg_ext.engine.hooks.finite import check_finite
from mmseg_ext.engine.hooks.stateful import StatefulHook
from mmseg_ext.registry import HOOKS
from mmseg_ext.suite.files import replacing

KEPT = 2
"""Checkpoints kept; the newest ones."""


@HOOKS.register_module()
class ResumeHook(Hook):
    """Continue from the newest checkpoint of a folder, and write checkpoints there.

    A checkpoint holds weights, optimiser, schedule, the state of all random number generators, of the paradigm and of
    the other hooks, and the position; it is written aside and renamed. Weights that are not finite are never written.

    Args:
        folder: Where the checkpoints lie.
        iterations: After which iterations to write one.
        seconds: Write one at least this often, in seconds.
    """

    priority = 90

    def __init__(self, folder: str, iterations: Sequence[int], seconds: float = 300.0) -> None:
        self.folder = Path(folder)
        self.iterations = set(iterations)
        self.seconds = seconds
        self.train_seconds = 0.0
        """Time spent in training so far, over all attempts that count."""
        self._last = 0.0

    def before_train(self, runner: Runner) -> None:
        """Load the newest checkpoint, if there is one."""
        found = checkpoints(self.folder)
        if found:
            self._restore(runner, torch.load(found[-1], map_location="cpu", weights_only=True))
        self._last = time.monotonic()

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: object = None, outputs: object = None
    ) -> None:
        """Write a checkpoint where it is due."""
        iteration = runner.iter + 1
        now = time.monotonic()
        if iteration not in self.iterations and iteration < runner.max_iters and now - self._last < self.seconds:
            return
        self.train_seconds += now - self._last
        self._save(runner, iteration)
        self._last = time.monotonic()

    def _save(self, runner: Runner, iteration: int) -> None:
        weights = runner.model.state_dict()
        check_finite(weights, iteration)
        state = {
            "iteration": iteration,
            "train_seconds": self.train_seconds,
            "model": weights,
            "optim_wrapper": runner.optim_wrapper.state_dict(),
            "param_schedulers": [_plain(scheduler.state_dict()) for scheduler in runner.param_schedulers],
            "paradigm": runner.train_loop.paradigm.state_dict(),
            "hooks": {hook.state_name: hook.state_dict() for hook in _stateful(runner)},
            "random": random_state(),
        }
        with replacing(self.folder / f"iteration_{iteration:08d}.pth") as part:
            torch.save(state, part)
        for old in checkpoints(self.folder)[:-KEPT]:
            old.unlink()

    def _restore(self, runner: Runner, state: Mapping[str, Any]) -> None:
        runner.train_loop.iter = state["iteration"]
        self.train_seconds = state["train_seconds"]
        runner.model.load_state_dict(state["model"])
        runner.optim_wrapper.load_state_dict(state["optim_wrapper"])
        for scheduler, saved in zip(runner.param_schedulers, state["param_schedulers"], strict=True):
            scheduler.load_state_dict(saved)
        runner.train_loop.paradigm.load_state_dict(state["paradigm"])
        for hook in _stateful(runner):
            hook.load_state_dict(state["hooks"][hook.state_name])
        set_random_state(state["random"])


def checkpoints(folder: Path) -> list[Path]:
    """Return the checkpoints of a folder, oldest first."""
    return sorted(path for path in folder.glob("*.pth") if re.fullmatch(r"iteration_\d{8}", path.stem))


def random_state() -> dict[str, Any]:
    """Return the state of Python's, NumPy's and torch's global generators, as tensors and plain values."""
    name, keys, *position = np.random.get_state()  # noqa: NPY002 (other libraries draw from it)
    return {
        "python": random.getstate(),
        "numpy": (name, torch.from_numpy(keys.astype(np.int64)), *position),
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
    }


def set_random_state(state: Mapping[str, Any]) -> None:
    """Restore what `random_state` returned."""
    random.setstate(state["python"])
    name, keys, *position = state["numpy"]
    np.random.set_state((name, keys.numpy().astype(np.uint32), *position))  # noqa: NPY002
    torch.set_rng_state(state["torch"])
    if torch.cuda.is_available():
        torch.cuda.set_rng_state_all(state["cuda"])


def _stateful(runner: Runner) -> list[StatefulHook]:
    return [hook for hook in runner.hooks if isinstance(hook, StatefulHook)]


def _plain(state: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out the functions a scheduler keeps among its values: a config makes them anew."""
    return {key: value for key, value in state.items() if not callable(value)}
