"""Sub-commands for finished runs: analysis, page, predictions for other images, weights, cost."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Annotated

import typer

from mmseg_ext.cli_options import DEFAULT_CONFIGS, DEFAULT_RESULTS, Configs, Results, RunName, parse_run
from mmseg_ext.suite.catalogue import catalogue
from mmseg_ext.suite.paths import Paths

app = typer.Typer()


@app.command()
def analyse(suite: str, configs: Configs = DEFAULT_CONFIGS, results: Results = DEFAULT_RESULTS) -> None:
    """Compute intervals, paired tests, ranks, verdicts and flags of a planned suite."""
    from mmseg_ext.analysis.analyse import analyse as analyse_suite

    paths = Paths(results=results)
    analyse_suite(paths.plan(suite), paths.tables(suite), configs)


@app.command()
def report(
    suite: str,
    results: Results = DEFAULT_RESULTS,
    front: Annotated[bool, typer.Option("--front", help="Also make it results/report/index.html.")] = False,
) -> None:
    """Draw tables, figures and the HTML page of an analysed suite."""
    from mmseg_ext.reporting.report import write_report

    paths = Paths(results=results)
    page = paths.page(suite)
    write_report(paths.plan(suite), paths.tables(suite), paths.figures(suite), page)
    if front:
        from mmseg_ext.suite.files import replacing

        with replacing(page.with_name("index.html")) as part:
            shutil.copyfile(page, part)


@app.command()
def summary(suite: str, results: Results = DEFAULT_RESULTS) -> None:
    """Print a suite's main table and where its page is."""
    from mmseg_ext.reporting.terminal import print_summary

    paths = Paths(results=results)
    print_summary(paths.plan(suite), paths.tables(suite))
    print(f"\n{(paths.results / 'report' / 'index.html').resolve()}")


@app.command()
def predict(
    run: RunName,
    images: Annotated[list[Path], typer.Argument(help="Images or NIfTI volumes.")],
    out: Annotated[Path, typer.Option(help="Folder for the label maps.")],
    overlays: Annotated[bool, typer.Option("--overlays", help="Also draw contours over the images.")] = False,
    selection: Annotated[str, typer.Option(help="Which weights: last or best_val.")] = "last",
    results: Results = DEFAULT_RESULTS,
) -> None:
    """Segment your own images or volumes with a finished run, at native size."""
    from mmseg_ext.engine.predict_files import predict_files

    for path in predict_files(Paths(results=results).run(parse_run(run)), images, out, selection, overlays):
        print(path)


@app.command()
def export(
    run: RunName,
    out: Annotated[Path, typer.Option(help="Folder for weights, config and card.")],
    selection: Annotated[str, typer.Option(help="Which weights: last or best_val.")] = "last",
    results: Results = DEFAULT_RESULTS,
) -> None:
    """Write a finished run's weights (state dict only) with its config and a card."""
    from mmseg_ext.reporting.model_card import export_run

    print(export_run(Paths(results=results).run(parse_run(run)), out, selection))


@app.command()
def cost(
    methods: Annotated[list[str] | None, typer.Argument(help="Methods; all of the track if none is given.")] = None,
    track: Annotated[str, typer.Option(help="Track of the methods.")] = "supervised",
    size: Annotated[int, typer.Option(help="Height and width of the input.", min=1)] = 224,
    channels: Annotated[int, typer.Option(help="Channels of the input.", min=1)] = 3,
    classes: Annotated[int, typer.Option(help="Classes, background among them.", min=2)] = 9,
    batch: Annotated[int, typer.Option(help="Images in a batch.", min=1)] = 2,
    repeats: Annotated[int, typer.Option(help="Timed calls, of which the fastest counts.", min=1)] = 3,
    threads: Annotated[int, typer.Option(help="CPU threads.", min=1)] = 1,
    out: Annotated[Path | None, typer.Option(help="Table: a .csv with all values, or a .md.")] = None,
    configs: Configs = DEFAULT_CONFIGS,
) -> None:
    """Measure parameters, operations, time and memory of methods' networks on this machine."""
    from rich.console import Console

    from mmseg_ext.engine.cost_table import check_suffix, markdown, measure, write_table
    from mmseg_ext.suite.catalogue import stems

    known = catalogue(configs)
    known.track(track, "command line", "--track")
    if out is not None:
        check_suffix(out)
    names = methods or stems(configs / "methods" / track, "yaml")
    for name in names:
        known.method(track, name, "command line", "METHODS")
    setting = dict(size=size, channels=channels, classes=classes, batch=batch, repeats=repeats, threads=threads)
    rows = []
    for row in measure([known.method_config(track, name) for name in names], **setting):
        rows.append(row)
        Console(stderr=True).print(f"{len(rows)} of {len(names)}: {row['method']}")
        if out is not None:
            write_table(rows, out)
    if out is None:
        print(markdown(rows))


@app.command()
def clean(
    results: Results = DEFAULT_RESULTS,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say how much would be freed.")] = False,
) -> None:
    """Remove checkpoints of finished runs; their weights, predictions and scores stay."""
    from mmseg_ext.suite.cleaning import clean_checkpoints

    freed = clean_checkpoints(Paths(results=results), dry_run)
    print(f"{'Would free' if dry_run else 'Freed'} {sum(freed.values()) / 2**20:.1f} MiB in {len(freed)} runs")
