"""Progress of a loop on the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar

from rich.console import Console
from rich.progress import track

Item = TypeVar("Item")


def progress(items: Sequence[Item], description: str) -> Iterable[Item]:
    """Yield `items` and show a bar on standard error."""
    return track(items, description=description, console=Console(stderr=True))
