"""Sub-commands of the stages before any training: fetching, preparing and checking data, and lists of cases."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from mmseg_ext.cli_options import (
    DEFAULT_CONFIGS,
    DEFAULT_DATA,
    DEFAULT_RESULTS,
    Configs,
    Data,
    Results,
    json_object,
    prepared_datasets,
)
from mmseg_ext.suite.catalogue import catalogue
from mmseg_ext.suite.loading import parse, read_yaml
from mmseg_ext.suite.paths import Paths
from mmseg_ext.suite.plan import Plan, read_suite

app = typer.Typer()

Mirror = Annotated[Path | None, typer.Option(help="Folder searched for archives before the network.")]
LocalData = Annotated[Path | None, typer.Option(help="Folder with unpacked data in DIR/<dataset>.")]


@app.command()
def fetch(
    dataset: str,
    configs: Configs = DEFAULT_CONFIGS,
    data: Data = DEFAULT_DATA,
    mirror: Mirror = None,
    local_data: LocalData = None,
) -> None:
    """Get a data set in the form its source gives it."""
    from mmseg_ext.data.fetch import fetch as fetch_dataset

    card = catalogue(configs).dataset(dataset, "command line", "dataset")
    fetch_dataset(card, Paths(data).raw(dataset), mirror, local_data)


@app.command()
def fetch_plan(
    datasets: Annotated[list[str] | None, typer.Argument(help="Data sets; default: all.")] = None,
    suite: Annotated[Path | None, typer.Option(help="A suite's YAML file, for the data sets it uses.")] = None,
    out: Annotated[Path | None, typer.Option(help="Also write the table to this CSV file.")] = None,
    configs: Configs = DEFAULT_CONFIGS,
    data: Data = DEFAULT_DATA,
    mirror: Mirror = None,
    local_data: LocalData = None,
) -> None:
    """List what fetching would need: files, bytes, licences, disk space. Nothing is fetched."""
    from rich.console import Console

    from mmseg_ext.data.fetch.plan import plan_dataset, print_plan, write_plan
    from mmseg_ext.suite.catalogue import stems

    known, names = catalogue(configs), list(datasets or [])
    if suite is not None:
        read, _ = read_suite(read_yaml(suite), suite)
        names += Plan(read, known, Paths(data), suite).datasets
    names = names or stems(configs / "datasets", "yaml")
    cards = [known.dataset(name, "command line", "datasets") for name in dict.fromkeys(names)]
    rows = [plan_dataset(card, Paths(data).raw(card.dataset), mirror, local_data) for card in cards]
    print_plan(rows, Console(width=None if sys.stdout.isatty() else 200))
    if out is not None:
        write_plan(rows, out)
        print(out)


@app.command()
def prepare(dataset: str, configs: Configs = DEFAULT_CONFIGS, data: Data = DEFAULT_DATA) -> None:
    """Convert a fetched data set to the prepared form and split it."""
    from mmseg_ext.data.prepare import prepare as prepare_dataset

    known = catalogue(configs)
    card = known.dataset(dataset, "command line", "dataset")
    paths = Paths(data)
    prepare_dataset(card, paths.raw(dataset), paths.prepared(dataset), known.split_file(card))


@app.command()
def check(dataset: str, data: Data = DEFAULT_DATA, results: Results = DEFAULT_RESULTS) -> None:
    """Look for near-duplicates across subsets, empty masks, outliers and other oddities of a prepared data set."""
    from mmseg_ext.data.checks.check import check as check_dataset

    paths = Paths(data, results)
    quality = check_dataset(prepared_datasets([dataset], data)[dataset], paths.checks(dataset))
    for finding in quality.findings:
        print(f"warning: {finding.kind}: {finding.text}")
    print(f"{len(quality.findings)} findings: {paths.checks(dataset) / 'quality.json'}")


@app.command()
def superpixels(
    dataset: str,
    recipe: Annotated[str, typer.Option(help='Recipe as JSON, such as {"algorithm": "slic_opencv"}.')],
    data: Data = DEFAULT_DATA,
    workers: Annotated[int, typer.Option(help="Processes that share the images.", min=1)] = 1,
) -> None:
    """Divide every image of a prepared data set into superpixels."""
    from mmseg_ext.suite.superpixel_recipe import read_recipe
    from mmseg_ext.superpixels.make import make_maps

    asked = read_recipe(json_object(recipe, "--recipe"), "command line")
    maps = make_maps(
        prepared_datasets([dataset], data)[dataset], asked, Paths(data).superpixels(dataset, asked.id), workers
    )
    print(f"{maps.info['samples']} maps: {maps.folder}")


@app.command()
def check_task(
    task: str, configs: Configs = DEFAULT_CONFIGS, data: Data = DEFAULT_DATA, results: Results = DEFAULT_RESULTS
) -> None:
    """Look for near-duplicates between the training, validation and test sets of a task of several data sets."""
    from mmseg_ext.data.checks.check_task import check_task as compare

    found, paths = catalogue(configs).task(task, "command line", "task"), Paths(data, results)
    quality = compare(found, prepared_datasets(found.datasets, data), paths.task_checks(task))
    for finding in quality.findings:
        print(f"warning: {finding.kind}: {finding.text}")
    print(f"{len(quality.findings)} findings: {paths.task_checks(task) / 'quality.json'}")


@app.command()
def subset(
    track: str,
    task: str,
    condition: str,
    seed: Annotated[int, typer.Option()],
    out: Annotated[Path, typer.Option()],
    configs: Configs = DEFAULT_CONFIGS,
    data: Data = DEFAULT_DATA,
) -> None:
    """List the cases that runs of one condition and seed are trained, validated and tested on."""
    from mmseg_ext.data.subset import write_subset
    from mmseg_ext.suite.errors import unknown_name

    known = catalogue(configs)
    conditions = known.track(track, "command line", "track").conditions
    if condition not in conditions:
        raise unknown_name("command line", "condition", condition, f"a condition of {track!r}", conditions)
    found = known.task(task, "command line", "task")
    lists = known.label_lists(conditions[condition], found)
    write_subset(found, conditions[condition], seed, prepared_datasets(found.datasets, data), out, lists)


@app.command()
def label_noise(
    dataset: str,
    labels: Annotated[str, typer.Option(help="Noise family and subsets as JSON, as in a need's recipe.")],
    out: Annotated[Path, typer.Option(help="Folder for the label maps.")],
    data: Data = DEFAULT_DATA,
) -> None:
    """Change the true masks of a prepared data set by a family of label noise."""
    from mmseg_ext.data.label_noise.corrupt import corrupt
    from mmseg_ext.suite.label_noise import NoisyLabels

    asked = parse(NoisyLabels, json_object(labels, "--labels"), "--labels")
    table = corrupt(prepared_datasets([dataset], data)[dataset], asked, out)
    print(f"{len(table)} label maps, mean Dice to the truth {table['dice'].mean():.3f}: {out}")
