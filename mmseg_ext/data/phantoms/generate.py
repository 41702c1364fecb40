"""Write all items of a generated data set."""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path
from types import ModuleType

from mmseg_ext.data import phantoms
from mmseg_ext.data.progress import progress
from mmseg_ext.suite.dataset_card import GeneratedAccess
from mmseg_ext.suite.errors import unknown_name
from mmseg_ext.suite.files import replacing


def generators() -> list[str]:
    """Return the names of the generators."""
    return sorted(info.name for info in pkgutil.iter_modules(phantoms.__path__) if info.name.startswith("phantom_"))


def find_generator(name: str) -> ModuleType:
    """Return the module of a generator.

    Raises:
        InputError: If there is no such generator.
    """
    if name not in generators():
        raise unknown_name("data set card", "source.generator", name, "a generator", generators())
    return importlib.import_module(f"{phantoms.__name__}.{name}")


def generate(source: GeneratedAccess, root: Path) -> None:
    """Write every item of a generated data set below `root`, all or nothing.

    Args:
        source: Generator, items per subset and seed.
        root: Folder that is created, or replaced if it exists.

    Raises:
        InputError: If there is no such generator.
    """
    write_item = find_generator(source.generator).write_item
    items = [(subset, index) for subset, count in source.items.items() for index in range(count)]
    with replacing(root) as part:
        part.mkdir()
        for subset, index in progress(items, f"generate {source.generator}"):
            write_item(part, subset, index, source.seed)
