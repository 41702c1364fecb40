"""Options that several sub-commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Configs = Annotated[Path, typer.Option(help="Folder of the configurations.")]
Data = Annotated[Path, typer.Option(help="Folder of raw and prepared data.")]
Results = Annotated[Path, typer.Option(help="Folder of results.")]
DEFAULT_CONFIGS, DEFAULT_DATA, DEFAULT_RESULTS = Path("configs"), Path("data"), Path("results")
