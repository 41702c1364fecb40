"""What a run starts from besides prepared data: the result of an earlier stage."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mmseg_ext.suite.files import hash_value


@dataclass(frozen=True)
class Need:
    """The result of one job of an earlier stage, and all that determines it."""

    name: str
    """What a method's config calls it: the placeholder `$name` becomes the folder."""
    stage: str
    """Rule and sub-command that make it."""
    folder: Path
    recipe: dict[str, Any] = field(hash=False)
    """JSON-able settings that determine the result, the source code of the stage among them."""
    record: str = "record.json"
    """File in `folder` that is written last; the same content must give the same bytes."""
    dataset: str | None = None
    """The prepared data set it belongs to; `$name` is then a mapping from data set to folder."""
    datasets: tuple[str, ...] = ()
    """Prepared data sets the stage reads."""
    needs: tuple[Need, ...] = ()
    """What the stage itself starts from."""
    resources: dict[str, int] = field(default_factory=dict, hash=False)
    """What its job may use, by the names of `Schedule`; no part of what determines the result."""

    @property
    def done(self) -> Path:
        """The file that exists once the result is whole."""
        return self.folder / self.record

    @property
    def parts(self) -> dict[str, Any]:
        """What a run key hashes: the recipe, and those of the stages before."""
        return {
            "stage": self.stage,
            "dataset": self.dataset,
            "recipe": self.recipe,
            "needs": [need.parts for need in self.needs],
        }

    @property
    def key(self) -> str:
        """Hash that names the stage's working directory."""
        return hash_value(self.parts)[:16]


def all_needs(needs: Iterable[Need]) -> Iterator[Need]:
    """Yield needs and, before each, what its stage starts from."""
    for need in needs:
        yield from all_needs(need.needs)
        yield need


def folders(needs: Iterable[Need]) -> dict[str, Any]:
    """Return what placeholders become: a folder by name, or folders by data set by name."""
    found: dict[str, Any] = {}
    for need in needs:
        if need.dataset is None:
            found[need.name] = str(need.folder)
        else:
            found.setdefault(need.name, {})[need.dataset] = str(need.folder)
    return found
