"""Where the time of a benchmark goes."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from typing import Any


def timed(seconds: Counter[str], part: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function with its time added to a part."""

    def call(*args: Any, **kwargs: Any) -> Any:
        start = time.perf_counter()
        try:
            return function(*args, **kwargs)
        finally:
            seconds[part] += time.perf_counter() - start

    return call
