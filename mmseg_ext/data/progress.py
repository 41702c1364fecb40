"""Progress of loops, trainings and downloads on the terminal."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
    track,
)

Item = TypeVar("Item")

LINES = 10
"""Lines printed over a whole training where the output is no terminal."""


def progress(items: Iterable[Item], description: str, total: int | None = None) -> Iterable[Item]:
    """Yield `items` and show a bar on standard error; `total` is needed where `items` have no length."""
    return track(items, description=description, total=total, console=Console(stderr=True))


class TrainingProgress:
    """Steps done, values and time left of a training: a bar in a terminal, `LINES` lines elsewhere.

    Args:
        title: What is being trained.
        total: Steps of the whole training.
        done: Steps that an earlier attempt has done.
        unit: What a step is called in the line that says where an earlier attempt is continued.
    """

    def __init__(self, title: str, total: int, done: int = 0, unit: str = "step") -> None:
        self._title, self._total, self._first = title, total, done
        self._start = time.monotonic()
        self._console = Console(stderr=True)
        self._bar: Progress | None = None
        if done:
            self._print(f"resumed after {unit} {done}")
        if self._console.is_terminal:
            self._bar = Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TextColumn("{task.fields[values]}"),
                TimeRemainingColumn(),
                console=self._console,
            )
            self._task = self._bar.add_task(title, total=total, completed=done, values="")
            self._bar.start()

    def __enter__(self) -> TrainingProgress:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def step(self, done: int, values: Callable[[], str]) -> None:
        """Move the bar to `done` steps, or print a line if one is due; `values` is called only for what is shown."""
        if self._bar is not None:
            self._bar.update(self._task, completed=done, values=values())
        elif done * LINES // self._total != (done - 1) * LINES // self._total:
            left = (time.monotonic() - self._start) / (done - self._first) * (self._total - done)
            self._print(f"{done}/{self._total} {values()}, {left:.0f} s left")

    def close(self) -> None:
        """Close the bar, also after an error."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def _print(self, text: str) -> None:
        self._console.print(f"{self._title}: {text}", highlight=False, soft_wrap=True)


class TransferProgress:
    """Bars with bytes, speed and time left of the files under way; a context manager."""

    def __init__(self) -> None:
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            DownloadColumn(binary_units=True),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
        )
        self._display = Progress(*columns, console=Console(stderr=True))

    def __enter__(self) -> TransferProgress:
        self._display.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._display.stop()

    @contextmanager
    def file(self, name: str) -> Iterator[Callable[[int, int | None], None]]:
        """Show a bar while a file is under way; yield what to tell the bytes here and the bytes in all."""
        task = self._display.add_task(name, total=None, start=False)
        begun = False

        def report(size: int, total: int | None) -> None:
            nonlocal begun
            if not begun:
                # Speed is counted from here, so that bytes of an earlier call do not count as fast ones.
                self._display.reset(task, total=total, completed=size)
                begun = True
            self._display.update(task, completed=size, total=total)

        try:
            yield report
        finally:
            self._display.stop_task(task)
