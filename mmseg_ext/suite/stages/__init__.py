"""Stages between preparation and training; each file says which of their results a run needs.

A stage offers `needs(planned, catalogue, paths)`, which returns a list of `Need` and is empty where the stage has no
part in the run. It reads what the method's config, the condition, the task or the suite ask for.
"""

from __future__ import annotations

from collections.abc import Callable

from mmseg_ext.suite.catalogue import Catalogue
from mmseg_ext.suite.matrix import PlannedRun
from mmseg_ext.suite.need import Need
from mmseg_ext.suite.paths import Paths
from mmseg_ext.suite.stages import clip, label_noise, pretraining, superpixels

Stage = Callable[[PlannedRun, Catalogue, Paths], list[Need]]
STAGES: list[Stage] = [superpixels.needs, pretraining.needs, clip.needs, label_noise.needs]
"""One entry a stage; adding a method needs no new one."""


def needs_of(planned: PlannedRun, catalogue: Catalogue, paths: Paths) -> list[Need]:
    """Return what a run starts from besides prepared data.

    Raises:
        InputError: If a config, condition or suite asks for something that cannot be.
    """
    return [need for stage in STAGES for need in stage(planned, catalogue, paths)]
