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

    def superpixels(self, dataset: str, recipe_id: str) -> Path:
        """Folder of a data set's superpixel maps of one recipe; it goes when the data set is prepared again."""
        return self.prepared(dataset) / "superpixels" / recipe_id

    def checks(self, dataset: str) -> Path:
        """Folder of what was found when a prepared data set was checked."""
        return self.results / "data" / dataset

    def clip(self, clip: str, task: str, trained: bool) -> Path:
        """Folder of a CLIP and its embeddings of a task's class names."""
        return self.results / "clip" / ("trained" if trained else "imported") / clip / task

    def regions(self, clip: str, task: str, setting: str, dataset: str) -> Path:
        """Folder of the region maps and embeddings that a CLIP gives of a data set."""
        return self.results / "regions" / clip / task / setting / dataset

    def task_checks(self, task: str) -> Path:
        """Folder of what was found when the data sets of a task were compared with each other."""
        return self.results / "data" / "tasks" / task

    def run(self, run: RunId) -> Path:
        """Folder of a finished run."""
        return self.results / "runs" / str(run)

    def work(self, key: str) -> Path:
        """Working directory of a run: checkpoints and logs that survive a kill."""
        return self.results / "work" / key

    def pretrained(self, source: str, method: str, seed: int) -> Path:
        """Folder of a pre-trained encoder."""
        return self.results / "pretrain" / source / method / f"seed_{seed}"

    def controls(self, task: str) -> Path:
        """Folder of a task's control pseudo-methods."""
        return self.results / "controls" / task

    def subset(self, run: RunId) -> Path:
        """List of the cases a run is trained, validated and tested on; the same for every method."""
        return self.results / "subsets" / run.track / run.task / run.condition / f"seed_{run.seed}.csv"

    def plan(self, suite: str) -> Path:
        """File of a suite's plan."""
        return self.results / "plans" / f"{suite}.json"

    def tables(self, suite: str) -> Path:
        """Folder of a suite's tables."""
        return self.results / "tables" / suite

    def figures(self, suite: str) -> Path:
        """Folder of a suite's figures."""
        return self.results / "figures" / suite

    def page(self, suite: str) -> Path:
        """A suite's HTML page."""
        return self.results / "report" / f"{suite}.html"
