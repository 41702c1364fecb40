"""What some paradigms cannot do without in the optimiser they are given."""

from __future__ import annotations

from mmengine.optim import OptimWrapper

from mmseg_ext.suite.errors import InputError

WHERE = "training paradigm"


def require_full_precision(optim_wrapper: OptimWrapper) -> None:
    """Refuse mixed precision, which is too coarse for a look-ahead by finite differences.

    Raises:
        InputError: If the wrapper casts to a shorter type.
    """
    dtype = getattr(optim_wrapper, "dtype", None)
    if dtype is not None:
        raise InputError(WHERE, "precision", str(dtype), "fp32 in the schedule, for a training that looks ahead")


def require_single_steps(optim_wrapper: OptimWrapper) -> None:
    """Refuse accumulated gradients, which would join the several steps of an iteration.

    Raises:
        InputError: If the wrapper steps less often than it is asked to.
    """
    found = optim_wrapper._accumulative_counts
    if found != 1:
        raise InputError(WHERE, "accumulative_counts", found, "1: each of an iteration's steps is one of the optimiser")
