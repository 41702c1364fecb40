"""A method's config, made whole by what the run is about.

A method config knows nothing of data or length. Where it needs such a value it writes a placeholder, a string

    "$name"            the value itself, whatever its type
    "$a/b"             for results of earlier stages only: the path of a file b in the folder a
    "$name * 0.05"     an integer: the product rounded, and at least 1; the factor is a decimal number

with a name from `Facts`, or of the result of an earlier stage (`mmseg_ext.suite.need`), which stands for its folder.
Any other string, and a `$` anywhere but at its beginning, is left alone. For example

    decode_head=dict(type="FCNHead", num_classes="$num_classes", ...)
    param_scheduler=[dict(type="LinearLR", end="$max_iters * 0.05", ...), dict(type="PolyLR", end="$max_iters", ...)]

An unknown name is an error, never a string that reaches a constructor.
"""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmengine.config import Config

from mmseg_ext.engine.hooks.validation import evenly_spaced
from mmseg_ext.suite.errors import InputError, unknown_name
from mmseg_ext.suite.suite_config import Schedule

_PLACEHOLDER = re.compile(r"\$(?P<name>\w+)(?:\s*\*\s*(?P<factor>\d+(?:\.\d+)?)|/(?P<file>[\w./-]+))?")


@dataclass(frozen=True)
class Facts:
    """Everything a placeholder can name."""

    title: str
    """Name of the run, for a person."""
    num_classes: int
    """Classes, background among them."""
    in_channels: int
    image_size: tuple[int, int]
    """Height and width of the network's input."""
    fit: str
    """`pad` or `resize`."""
    mirrored_share: float
    """Share of training images to mirror left to right: half of them, but none of a volume, where sides have names."""
    prepared: dict[str, str]
    """Folder of each prepared data set by name."""
    subset_file: str
    """Table of the run's cases."""
    max_iters: int
    """Optimiser steps."""
    measured_iters: list[int]
    """Iterations after which the validation cases are measured and a checkpoint is written."""
    batch_size: int
    precision: str
    """`fp32`, `fp16` or `bf16`."""
    seed: int
    num_workers: int
    """Processes that load data; 0 loads in the training process."""
    work_dir: str
    """Folder of checkpoints and logs."""
    epoch_iters: int = 1
    """Optimiser steps of one pass over the training samples."""
    labels: dict[str, str] = dataclasses.field(default_factory=dict)
    """Folder of label maps that stand in for those of a prepared data set in training and validation, by its name."""
    unannotated: list[int] = dataclasses.field(default_factory=list)
    """Class ids that training must never see."""
    encoder_channels: int | None = None
    """Channels of the images that encoders are pre-trained on, if others than those of the run."""
    seen_names: list[str | None] = dataclasses.field(default_factory=list)
    """Class names by id, None for each that training must not know."""
    dropped_annotations: float = 0.0
    """Share of the annotated regions of training images that become unannotated."""
    needs: dict[str, Any] = dataclasses.field(default_factory=dict)
    """Results of earlier stages by name: a folder, or folders by data set."""

    @property
    def values(self) -> dict[str, Any]:
        """All that a placeholder can name."""
        own = {field.name: getattr(self, field.name) for field in dataclasses.fields(self) if field.name != "needs"}
        return {**own, "encoder_channels": self.encoder_channels or self.in_channels, **self.needs}


def iterations(schedule: Schedule, training_samples: int) -> int:
    """Return the optimiser steps of a schedule; epochs are rounded up to whole batches."""
    if schedule.iterations is not None:
        return schedule.iterations
    return math.ceil(schedule.epochs * training_samples / schedule.batch_size)


def schedule_facts(schedule: Schedule, training_samples: int) -> dict[str, Any]:
    """Return the facts that follow from a schedule and the number of training samples."""
    steps = iterations(schedule, training_samples)
    return {
        "image_size": schedule.image_size,
        "max_iters": steps,
        "measured_iters": evenly_spaced(steps, schedule.validations),
        "epoch_iters": math.ceil(training_samples / schedule.batch_size),
        "batch_size": schedule.batch_size,
        "precision": schedule.precision,
    }


def resolve(config: Mapping[str, Any], facts: Facts, file: Path | str) -> Config:
    """Return a method's config with every placeholder replaced.

    Args:
        config: The config with its bases merged, as `mmseg_ext.suite.run_key.method_config` reads it; not changed.
        facts: The values.
        file: File of the config, for error messages.

    Raises:
        InputError: For a placeholder that names no fact, or a factor on something that is no number.
    """
    return Config(_replace(dict(config), facts, file, ""))


def _replace(value: Any, facts: Facts, file: Path | str, where: str) -> Any:
    if isinstance(value, Mapping):
        return {key: _replace(item, facts, file, f"{where}.{key}".lstrip(".")) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_replace(item, facts, file, f"{where}.{index}") for index, item in enumerate(value))
    if isinstance(value, str) and value.startswith("$"):
        return _value(value, facts, file, where)
    return value


def _value(text: str, facts: Facts, file: Path | str, where: str) -> Any:
    match = _PLACEHOLDER.fullmatch(text)
    if match is None:
        raise InputError(file, where, text, "$name, $name * factor or $name/file")
    if match["name"] not in facts.values:
        raise unknown_name(file, where, match["name"], "a fact of the run", facts.values)
    value = facts.values[match["name"]]
    if match["file"] is not None:
        if match["name"] not in facts.needs or not isinstance(value, str):
            raise InputError(file, where, text, f"a file only in a stage's folder; {match['name']} is {value!r}")
        return f"{value}/{match['file']}"
    if match["factor"] is None:
        return value
    if not isinstance(value, int | float):
        raise InputError(file, where, text, f"a factor only on numbers; {match['name']} is {value!r}")
    return max(1, round(value * float(match["factor"])))
