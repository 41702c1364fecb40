"""JSON Schemas of the configuration models, for editors; generated, never written by hand."""

from __future__ import annotations

import json
from pathlib import Path

from mmseg_ext.suite.claim import ClaimFile
from mmseg_ext.suite.clip_card import ClipCard
from mmseg_ext.suite.dataset_card import DatasetCard
from mmseg_ext.suite.files import write_text
from mmseg_ext.suite.loading import StrictModel
from mmseg_ext.suite.suite_config import Suite
from mmseg_ext.suite.task import Task
from mmseg_ext.suite.track import MethodCard, Protocol, Track

MODELS: dict[str, type[StrictModel]] = {
    "claims": ClaimFile,
    "clip": ClipCard,
    "dataset": DatasetCard,
    "method": MethodCard,
    "protocol": Protocol,
    "suite": Suite,
    "task": Task,
    "track": Track,
}


def schema_text(model: type[StrictModel]) -> str:
    """Return a model's JSON Schema as it stands in its file."""
    return json.dumps(model.model_json_schema(), indent=2) + "\n"


def stale(folder: Path) -> list[Path]:
    """Return the schema files in a folder that are missing or differ from the models."""
    paths = {folder / f"{name}.schema.json": schema_text(model) for name, model in MODELS.items()}
    return [path for path, text in paths.items() if not path.is_file() or path.read_text(encoding="utf-8") != text]


def write_schemas(folder: Path) -> None:
    """Write every model's schema into a folder."""
    for name, model in MODELS.items():
        write_text(folder / f"{name}.schema.json", schema_text(model))
