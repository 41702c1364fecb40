"""Options that several sub-commands share, and how they are read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from mmseg_ext.suite.errors import InputError
from mmseg_ext.suite.matrix import RunId
from mmseg_ext.suite.paths import Paths

Configs = Annotated[Path, typer.Option(help="Folder of the configurations.")]
Data = Annotated[Path, typer.Option(help="Folder of raw and prepared data.")]
Results = Annotated[Path, typer.Option(help="Folder of results.")]
DEFAULT_CONFIGS, DEFAULT_DATA, DEFAULT_RESULTS = Path("configs"), Path("data"), Path("results")
RunName = Annotated[str, typer.Argument(metavar="RUN", help="track/task/method/condition/seed_N")]


def json_object(text: str, option: str) -> dict[str, Any]:
    """Read an option that is a JSON object."""
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        raise InputError("command line", option, text, f"valid JSON ({error})") from None
    if not isinstance(value, dict):
        raise InputError("command line", option, text, "a JSON object")
    return value


def parse_run(text: str) -> RunId:
    """Read the name of a run."""
    try:
        return RunId.parse(text)
    except ValueError:
        raise InputError("command line", "RUN", text, "track/task/method/condition/seed_N") from None


def prepared_datasets(names: list[str], data: Path) -> dict[str, Any]:
    """Open prepared data sets by name."""
    from mmseg_ext.data.prepared import PreparedDataset

    return {name: PreparedDataset(Paths(data).prepared(name)) for name in names}
