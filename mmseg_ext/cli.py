"""One sub-command a stage; a rule's shell line is `python -m mmseg_ext <stage> …`.

Imports stand inside the commands: a stage that needs no torch must not wait for it.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from mmseg_ext import cli_catalogue, cli_data, cli_results, cli_runs, cli_zero_shot
from mmseg_ext.cli_options import DEFAULT_CONFIGS, DEFAULT_DATA, DEFAULT_RESULTS, Configs, Data, Results
from mmseg_ext.suite.catalogue import catalogue
from mmseg_ext.suite.errors import InputError
from mmseg_ext.suite.loading import read_yaml
from mmseg_ext.suite.paths import Paths
from mmseg_ext.suite.plan import Plan, read_suite

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Reproducible segmentation benchmark. The sub-commands are the stages of the workflow, in its order.",
)


def main() -> None:
    """Run the command line; bad input ends with one line and exit code 2."""
    try:
        app()
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)


@app.command()
def plan(
    suite: Annotated[str, typer.Option(help="A suite's YAML file, or a suite as JSON.")],
    configs: Configs = DEFAULT_CONFIGS,
    data: Data = DEFAULT_DATA,
    results: Results = DEFAULT_RESULTS,
) -> None:
    """Check a suite and write down what it is made of."""
    from mmseg_ext.suite.files import write_json

    config: dict[str, Any] = json.loads(suite) if suite.lstrip().startswith("{") else read_yaml(Path(suite))
    read, _ = read_suite(config, suite)
    expanded = Plan(read, catalogue(configs), Paths(data, results), suite)
    out = expanded.paths.plan(read.suite)
    write_json(out, expanded.as_plain())
    print(f"{len(expanded.runs)} runs of {len(expanded.tasks)} tasks: {out}")


for part in (cli_data, cli_zero_shot, cli_runs, cli_results, cli_catalogue):
    app.add_typer(part.app)
