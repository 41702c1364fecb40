"""Settings by which torch gives the same result twice."""

from __future__ import annotations

import os

import torch
from mmengine.device import get_device


def make_reproducible(threads: int) -> None:
    """Let torch choose only algorithms that give the same result twice; where a GPU has none, it warns."""
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(True, warn_only=get_device() != "cpu")
    # Filling memory that is about to be written costs time and finds only faults of torch itself.
    torch.utils.deterministic.fill_uninitialized_memory = False
