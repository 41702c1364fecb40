"""Work spread over processes."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import TypeVar

Job = TypeVar("Job")
Result = TypeVar("Result")


def in_processes(
    function: Callable[[Job], Result], jobs: Sequence[Job], workers: int, chunk: int = 1
) -> Iterator[Result]:
    """Yield the result of every job, in order; the same for any number of processes.

    Args:
        function: What is done with a job; can be pickled, as jobs and results can.
        jobs: The jobs.
        workers: Processes; 1: this one.
        chunk: Jobs that travel to a process at once.
    """
    if workers == 1:
        yield from map(function, jobs)
        return
    # A forked copy of a process that runs threads can hang; a spawned one starts clean.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        try:
            yield from pool.map(function, jobs, chunksize=chunk)
        finally:
            # After an error nobody waits for what is still queued.
            pool.shutdown(cancel_futures=True)
