"""What one pre-training is asked to do."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from mmseg_ext.suite.dataset_card import Name
from mmseg_ext.suite.loading import StrictModel
from mmseg_ext.suite.suite_config import Schedule
from mmseg_ext.suite.task import TaskPart


class PretrainSettings(StrictModel):
    """One pre-training: which method, on whose images, for how long."""

    track: Name
    """Track whose method it is."""
    method: Name
    source: Name
    """Name of the images: a task (those of its patients that may be trained on) or a data set (all of it)."""
    parts: Annotated[list[TaskPart], Field(min_length=1)]
    """Subsets of data sets the images are taken from, without labels."""
    schedule: Schedule
    seed: Annotated[int, Field(ge=0)]

    @property
    def datasets(self) -> tuple[str, ...]:
        """Names of the data sets, each once."""
        return tuple(dict.fromkeys(part.dataset for part in self.parts))

    def __str__(self) -> str:
        return f"{self.source}/{self.method}/seed_{self.seed}"
