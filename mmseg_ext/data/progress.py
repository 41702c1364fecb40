"""Progress of loops and downloads on the terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
    track,
)

Item = TypeVar("Item")


def progress(items: Iterable[Item], description: str, total: int | None = None) -> Iterable[Item]:
    """Yield `items` and show a bar on standard error; `total` is needed where `items` have no length."""
    return track(items, description=description, total=total, console=Console(stderr=True))


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
