"""The task: what is trained on, validated on, tested on."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from mmseg_ext.suite.dataset_card import DatasetCard, DerivedSplit, Name, PathSplit, Subset
from mmseg_ext.suite.loading import StrictModel


class TaskPart(StrictModel):
    """A subset of one data set."""

    dataset: Name
    subset: Subset


class Task(StrictModel):
    """Training, validation and test sets with one label space."""

    task: Name
    title: str
    train: Annotated[list[TaskPart], Field(min_length=1)]
    val: list[TaskPart] = []
    test: Annotated[list[TaskPart], Field(min_length=1)]
    classes: Annotated[list[Name], Field(min_length=2)]
    """Class names by id, background first; every data set of the task must have exactly these."""
    nsd_tolerance: Annotated[float, Field(gt=0)] = 2.0
    unseen: list[Name] = []
    """Classes that are tested but whose labels and names training must never see."""
    background: Literal["class", "ignored"] = "class"
    """`ignored`: pixels of class 0 count neither in training nor in evaluation, and it is never predicted, as where the
    published protocol has no background."""

    templates: list[str] = []
    """Prompts of the task's published protocol, with `{}` where a class name goes; none: those of the CLIP's card."""

    @model_validator(mode="after")
    def _unseen_are_classes(self) -> Task:
        if len(set(self.classes)) < len(self.classes):
            raise ValueError(f"class names that differ, found {self.classes}")
        for template in self.templates:
            if template.count("{}") != 1:
                raise ValueError(f"one {{}} in every template, found {template!r}")
        if self.classes[0] in self.unseen:
            raise ValueError(f"seen and unseen classes without overlap; {self.classes[0]!r}, class 0, is always seen")
        if strange := set(self.unseen) - set(self.classes):
            raise ValueError(f"unseen classes that are among the classes, found {sorted(strange)}")
        if len(set(self.unseen)) < len(self.unseen):
            raise ValueError(f"unseen classes that differ, found {self.unseen}")
        if set(self.unseen) >= set(self.classes[1:]):
            raise ValueError("at least one foreground class that is not unseen")
        return self

    @property
    def ignored(self) -> list[str]:
        """Classes whose pixels count nowhere and that are never predicted."""
        return self.classes[:1] if self.background == "ignored" else []

    @property
    def datasets(self) -> list[str]:
        """Names of the data sets used, each once, in order of first use."""
        return list(dict.fromkeys(part.dataset for part in [*self.train, *self.val, *self.test]))


def task_of_dataset(card: DatasetCard) -> Task:
    """Return the task that bears a data set's name: its own train, test and, if any, val subset."""
    subsets: tuple[Subset, ...] = ("train", "val", "test")
    parts = {subset: [TaskPart(dataset=card.dataset, subset=subset)] for subset in subsets}
    if isinstance(card.split, DerivedSplit | PathSplit) and not card.split.val:
        parts["val"] = []
    return Task(
        task=card.dataset,
        title=card.title,
        train=parts["train"],
        val=parts["val"],
        test=parts["test"],
        classes=card.class_names,
        nsd_tolerance=card.nsd_tolerance,
    )
