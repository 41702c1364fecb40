"""The working directory of a run: what survives a kill, and when it must not."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from torch import nn

from mmseg_ext.suite.errors import InputError
from mmseg_ext.suite.files import read_json, require_free_space, write_json


def open_work(work: Path, identity: Mapping[str, object]) -> None:
    """Make `work` ready: kept if made for the same `identity`, else emptied, so that no stale checkpoint is used."""
    if work.is_dir() and _recorded(work) != identity:
        shutil.rmtree(work)
    work.mkdir(parents=True, exist_ok=True)
    for scratch in work.glob(".*"):
        shutil.rmtree(scratch)  # what a kill left half-written
    write_json(work / "identity.json", identity)


def require_room(work: Path, model: nn.Module, selections: int = 1) -> None:
    """Check that the disk can take a run's checkpoints and weights.

    A checkpoint holds the weights, two moments of the optimiser and the best weights of each selection so far; two are
    kept while a third is written, and the last weights are exported beside the best ones.

    Raises:
        InputError: If it cannot; nothing has been trained then.
    """
    size = sum(tensor.nbytes for tensor in model.state_dict().values())
    require_free_space(work, (3 * (3 + selections) + 1 + selections) * size, "checkpoints and weights")


def _recorded(work: Path) -> object:
    try:
        return read_json(work / "identity.json")
    except InputError:
        return None


def record_failure(work: Path, stage: str, error: Exception, iteration: int | None) -> None:
    """Write `failure.json`: at which stage, why, and after which iteration where training had begun."""
    reason = f"{type(error).__name__}: {error}"
    write_json(work / "failure.json", {"stage": stage, "reason": reason, "iteration": iteration})


def clear_failure(work: Path) -> None:
    """Remove the failure of an earlier attempt."""
    (work / "failure.json").unlink(missing_ok=True)
