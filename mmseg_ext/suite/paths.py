"""Where everything lies, below a data folder and a results folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mmseg_ext.suite.matrix import RunId


@dataclass(frozen=True)
class Paths:
    """The layout of `data/` and `results/`."""

    data: Path = Path("data")
    results: Path = Path("results")

    def raw(self, dataset: str) -> Path:
        """Folder of a data set as its source gives it."""
        return self.data / "raw" / dataset

    def prepared(self, dataset: str) -> Path:
        """Folder of a prepared data set."""
        return self.data / "prepared" / dataset

    def run(self, run: RunId) -> Path:
        """Folder of a finished run."""
        return self.results / "runs" / str(run)

    def work(self, key: str) -> Path:
        """Working directory of a run: checkpoints and logs that survive a kill."""
        return self.results / "work" / key
