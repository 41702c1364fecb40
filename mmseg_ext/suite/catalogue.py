"""Everything `configs/` defines, by name."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TypeVar

from mmseg_ext.suite.clip_card import ClipCard
from mmseg_ext.suite.dataset_card import DatasetCard, SplitFile
from mmseg_ext.suite.errors import InputError, unknown_name
from mmseg_ext.suite.loading import StrictModel, load
from mmseg_ext.suite.task import Task, task_of_dataset
from mmseg_ext.suite.track import Condition, MethodCard, Protocol, Track

ModelT = TypeVar("ModelT", bound=StrictModel)


class Catalogue:
    """Named configurations below one folder, read when asked for.

    Args:
        root: The `configs/` folder.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._loaded: dict[Path, StrictModel] = {}

    def dataset(self, name: str, file: Path | str, field: str) -> DatasetCard:
        """Return a data set card; `file` and `field` say who asks, for the error message."""
        return self._find(DatasetCard, "dataset", name, "a data set", self.root / "datasets", file, field)

    def track(self, name: str, file: Path | str, field: str) -> Track:
        """Return a track."""
        return self._find(Track, "track", name, "a track", self.root / "tracks", file, field)

    def clip(self, name: str, file: Path | str, field: str) -> ClipCard:
        """Return the card of a CLIP."""
        return self._find(ClipCard, "clip", name, "a CLIP", self.root / "clip", file, field)

    def protocol(self, name: str, file: Path | str, field: str) -> Protocol:
        """Return a protocol."""
        return self._find(Protocol, "protocol", name, "a protocol", self.root / "protocols", file, field)

    def method(self, track: str, name: str, file: Path | str, field: str) -> MethodCard:
        """Return a method's card.

        Raises:
            InputError: If the track has no such method, or the card has no config beside it.
        """
        folder = self.root / "methods" / track
        card = self._find(MethodCard, "method", name, f"a method of track {track!r}", folder, file, field)
        if not self.method_config(track, name).is_file():
            raise InputError(folder / f"{name}.yaml", "config", "nothing", f"the MMEngine config {name}.py beside it")
        return card

    def method_config(self, track: str, name: str) -> Path:
        """Return the path of a method's MMEngine config."""
        return self.root / "methods" / track / f"{name}.py"

    def split_file(self, card: DatasetCard) -> Path | None:
        """Return the path of a card's committed split, or None for a derived one.

        Raises:
            InputError: If the file does not exist.
        """
        if not isinstance(card.split, SplitFile):
            return None
        folder = self.root / "splits" / card.dataset
        path = folder / f"{card.split.name}.csv"
        if not path.is_file():
            asking = self.root / "datasets" / f"{card.dataset}.yaml"
            raise unknown_name(asking, "split.name", card.split.name, f"a file of {folder}", stems(folder, "csv"))
        return path

    def label_lists(self, condition: Condition, task: Task) -> dict[str, Path]:
        """Return the list of labelled patients of each training data set; empty for a condition without such lists.

        Raises:
            InputError: If a training data set has no list of that name.
        """
        name = condition.label_list
        if name is None:
            return {}
        found = {}
        for part in task.train:
            folder = self.root / "splits" / part.dataset
            found[part.dataset] = path = folder / f"{name}.csv"
            if not path.is_file():
                kind = f"a list of labelled patients of {part.dataset} in {folder}"
                raise unknown_name("condition", "label_list", name, kind, stems(folder, "csv"))
        return found

    def task(self, name: str, file: Path | str, field: str) -> Task:
        """Return a task: its file, or the task that bears a data set's name.

        Raises:
            InputError: If there is neither, or the data sets do not share the task's classes.
        """
        folder = self.root / "tasks"
        if (folder / f"{name}.yaml").is_file():
            task = self._find(Task, "task", name, "a task", folder, file, field)
            self._check_classes(task)
            return task
        datasets = stems(self.root / "datasets", "yaml")
        if name not in datasets:
            raise unknown_name(file, field, name, "a task or data set", [*stems(folder, "yaml"), *datasets])
        return task_of_dataset(self.dataset(name, file, field))

    def _check_classes(self, task: Task) -> None:
        asking = self.root / "tasks" / f"{task.task}.yaml"
        for index, part in enumerate([*task.train, *task.val, *task.test]):
            card = self.dataset(part.dataset, asking, f"parts.{index}.dataset")
            if card.class_names != task.classes:
                raise InputError(asking, "classes", task.classes, f"the classes of {card.dataset}: {card.class_names}")

    def _find(
        self, model: type[ModelT], key: str, name: str, kind: str, folder: Path, file: Path | str, field: str
    ) -> ModelT:
        path = folder / f"{name}.yaml"
        if path not in self._loaded:
            if not path.is_file():
                raise unknown_name(file, field, name, kind, stems(folder, "yaml"))
            self._loaded[path] = load(model, path, key)
        loaded = self._loaded[path]
        assert isinstance(loaded, model)
        return loaded


def stems(folder: Path, ending: str) -> list[str]:
    """Return the stems of the files with an ending in a folder, sorted."""
    return sorted(path.stem for path in folder.glob(f"*.{ending}"))


@cache
def catalogue(root: Path = Path("configs")) -> Catalogue:
    """Return the catalogue of a `configs/` folder; one instance a folder and process."""
    return Catalogue(root)
