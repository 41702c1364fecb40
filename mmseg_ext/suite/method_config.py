"""A method's MMEngine config as it is written, bases merged and placeholders left alone."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from mmengine.config import Config

from mmseg_ext.suite.errors import InputError


@cache
def method_config(path: Path) -> dict[str, Any]:
    """Return a method's MMEngine config with its bases merged.

    Raises:
        InputError: If the file is not a valid config.
    """
    try:
        config: dict[str, Any] = Config.fromfile(path).to_dict()
    except Exception as error:  # a config is code: whatever it raises is the user's to see
        raise InputError(path, "content", f"{type(error).__name__}: {error}", "a valid MMEngine config") from error
    return config
