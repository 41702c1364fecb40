"""A run made concrete: its data, its cases and its resolved config, all checked before anything is trained."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from mmengine.config import Config
from mmengine.device import get_device

from mmseg_ext.data.prepared import Case, PreparedDataset
from mmseg_ext.engine.budget import with_pretraining_steps
from mmseg_ext.engine.dataset import cases_of, read_subset
from mmseg_ext.engine.inputs import check_channels, check_finished
from mmseg_ext.engine.resolve import Facts, resolve, schedule_facts
from mmseg_ext.registry import import_components
from mmseg_ext.suite.catalogue import Catalogue
from mmseg_ext.suite.errors import InputError
from mmseg_ext.suite.files import hash_file
from mmseg_ext.suite.matrix import PlannedRun, as_plain
from mmseg_ext.suite.method_config import method_config
from mmseg_ext.suite.need import Need, folders
from mmseg_ext.suite.paths import Paths
from mmseg_ext.suite.run_key import FORMAT_VERSION
from mmseg_ext.suite.stages import needs_of
from mmseg_ext.suite.stages.pretraining import SAME_BUDGET, encoder_channels
from mmseg_ext.suite.task import Task
from mmseg_ext.suite.track import Inference, Selection


@dataclass(frozen=True)
class Variant:
    """One way to choose weights and to predict with them."""

    selection: str
    """One of `mmseg_ext.suite.track.Selection`."""
    inference: str
    """One of `mmseg_ext.suite.track.Inference`."""

    @classmethod
    def parse(cls, text: str) -> Variant:
        """Read `selection_inference`, the name `Protocol.variant` gives.

        Raises:
            InputError: If it is no such name.
        """
        for selection in get_args(Selection):
            inference = text.removeprefix(f"{selection}_")
            if inference in get_args(Inference):
                return cls(selection, inference)
        expected = f"one of {', '.join(get_args(Selection))}, then _ and one of {', '.join(get_args(Inference))}"
        raise InputError("command line", "--variant", text, expected)


@dataclass(frozen=True)
class Job:
    """Everything a run needs."""

    planned: PlannedRun
    key: str
    task: Task
    prepared: dict[str, PreparedDataset]
    needs: list[Need]
    """Results of earlier stages the run starts from."""
    cases: dict[str, list[Case]]
    """Cases by subset: train, val, test."""
    facts: Facts
    config: Config
    threads: int
    variants: dict[str, Variant]
    """What to predict, by name."""
    layout: dict[str, object]
    """Layout of the first training data set's source, by which files of a user are read."""
    subset_sha256: str

    @property
    def identity(self) -> dict[str, object]:
        """What must not have changed for checkpoints to be used again."""
        return {
            "format": FORMAT_VERSION,
            "key": self.key,
            "data": {name: data.content_hash for name, data in self.prepared.items()},
            "needs": {str(need.folder): hash_file(need.done) for need in self.needs},
            "subset_sha256": self.subset_sha256,
            "test_selection": self.selects_on_test,
        }

    @property
    def absent(self) -> tuple[int, ...]:
        """Class ids that are never predicted."""
        return tuple(index for index, name in enumerate(self.task.classes) if name in self.task.ignored)

    @property
    def seen(self) -> tuple[int, ...]:
        """Class ids that the task's protocol calls seen, annotated or not."""
        return tuple(index for index, name in enumerate(self.task.classes) if name not in self.task.unseen)

    @property
    def selects_on_test(self) -> bool:
        """Whether a variant needs the weights that are best on the test cases."""
        return any(variant.selection == "best_test" for variant in self.variants.values())

    @property
    def selections(self) -> int:
        """Sets of weights a checkpoint holds besides the current ones."""
        return bool(self.cases["val"]) + self.selects_on_test


def make_job(
    planned: PlannedRun,
    key: str,
    catalogue: Catalogue,
    paths: Paths,
    subset: Path,
    variants: Sequence[str],
    threads: int,
) -> Job:
    """Read and check everything a run needs; arguments as in `mmseg_ext.engine.train.train_run`.

    Raises:
        InputError: For anything that would make the run fail, or mean something else, later on.
    """
    run = planned.id
    task = catalogue.task(run.task, subset, "task")
    prepared = {name: PreparedDataset(paths.prepared(name)) for name in task.datasets}
    first = prepared[task.train[0].dataset]
    for data in prepared.values():
        card = data.root / "card.json"
        if data.classes != list(task.classes):
            raise InputError(card, "classes", data.classes, f"the classes of task {task.task!r}: {list(task.classes)}")
    check_channels(first, prepared.values())
    needs = needs_of(planned, catalogue, paths)
    check_finished(needs)
    found = folders(needs)
    table = read_subset(subset)
    cases = {name: cases_of(table, name, prepared, subset) for name in ("train", "val", "test")}
    asked = {name: Variant.parse(name) for name in variants}
    if not cases["val"] and any(variant.selection == "best_val" for variant in asked.values()):
        raise InputError(subset, "subset", "no val case", "at least one, because a protocol selects by validation")
    file = catalogue.method_config(run.track, run.method)
    # What an earlier stage did is not the run's to resolve.
    written = {name: value for name, value in method_config(file).items() if name != "pretraining"}
    training_samples = sum(len(case.samples) for case in cases["train"])
    schedule = planned.schedule
    if written.get(SAME_BUDGET):
        schedule = with_pretraining_steps(planned, task, prepared, training_samples)
    condition = catalogue.track(run.track, subset, "track").conditions[run.condition]
    hidden = [*task.ignored, *([] if condition.all_annotated else task.unseen)]
    facts = Facts(
        title=str(run),
        num_classes=len(task.classes),
        in_channels=len(first.card["channels"]),
        fit=first.card["fit"],
        mirrored_share=0.0 if first.card["is_volume"] else 0.5,
        prepared={name: str(data.root) for name, data in prepared.items()},
        subset_file=str(subset),
        seed=run.seed,
        num_workers=threads if get_device() == "cuda" else 0,
        work_dir=str(paths.work(key)),
        labels=found.pop("labels", {}),
        unannotated=[index for index, name in enumerate(task.classes) if name in hidden],
        seen_names=[None if name in hidden else name for name in task.classes],
        dropped_annotations=condition.dropped_annotations,
        needs=found,
        encoder_channels=_encoder_channels(planned, first, catalogue),
        **schedule_facts(schedule, training_samples),
    )
    config = resolve(written, facts, file)
    if any(variant.selection == "best_test" for variant in asked.values()):
        validation = next(hook for hook in config.custom_hooks if hook["type"] == "ValidationHook")
        # Whatever labels a run learns from, it is tested on the true ones.
        config.custom_hooks.append({**validation, "type": "TestSelectionHook", "labels": {}, "unannotated": []})
    import_components(config.to_dict())
    layout = as_plain(catalogue.dataset(first.name, subset, "dataset").layout)
    return Job(planned, key, task, prepared, needs, cases, facts, config, threads, asked, layout, hash_file(subset))


def _encoder_channels(planned: PlannedRun, first: PreparedDataset, catalogue: Catalogue) -> int | None:
    """Return the channels of the images that encoders are pre-trained on, checked against those of the run."""
    channels = encoder_channels(planned, catalogue)
    own = len(first.card["channels"])
    if channels is not None and own != channels and (own, channels) != (3, 1) and own != 1:
        expected = f"{channels}, one that is repeated, or RGB for one: those of {planned.pretraining.source}"
        raise InputError(first.root / "card.json", "channels", own, expected)
    return channels
