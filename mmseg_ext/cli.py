"""One sub-command a stage; a rule's shell line is `python -m mmseg_ext <stage> …`.

Imports stand inside the commands: a stage that needs no torch must not wait for it.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from mmseg_ext import cli_catalogue, cli_zero_shot
from mmseg_ext.cli_options import DEFAULT_CONFIGS, DEFAULT_DATA, DEFAULT_RESULTS, Configs, Data, Results
from mmseg_ext.suite.catalogue import Catalogue, catalogue
from mmseg_ext.suite.errors import InputError
from mmseg_ext.suite.loading import parse, read_yaml
from mmseg_ext.suite.matrix import PlannedRun, RunId
from mmseg_ext.suite.paths import Paths
from mmseg_ext.suite.plan import Plan, read_suite
from mmseg_ext.suite.suite_config import Pretraining, Schedule

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Reproducible segmentation benchmark. The sub-commands are the stages of the workflow, in its order.",
)

Mirror = Annotated[Path | None, typer.Option(help="Folder searched for archives before the network.")]
LocalData = Annotated[Path | None, typer.Option(help="Folder with unpacked data in DIR/<dataset>.")]
RunName = Annotated[str, typer.Argument(metavar="RUN", help="track/task/method/condition/seed_N")]
Protocols = Annotated[list[str], typer.Option("--protocol", help="Protocol; may be repeated.")]
Key = Annotated[str | None, typer.Option(help="Refuse to start unless the hash of all settings is this one.")]
CasesFile = Annotated[Path, typer.Option("--cases", help="List of cases written by `subset`.")]


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
    quality = check_dataset(_prepared([dataset], data)[dataset], paths.checks(dataset))
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

    asked = read_recipe(_json(recipe, "--recipe"), "command line")
    maps = make_maps(_prepared([dataset], data)[dataset], asked, Paths(data).superpixels(dataset, asked.id), workers)
    print(f"{maps.info['samples']} maps: {maps.folder}")


@app.command()
def check_task(
    task: str, configs: Configs = DEFAULT_CONFIGS, data: Data = DEFAULT_DATA, results: Results = DEFAULT_RESULTS
) -> None:
    """Look for near-duplicates between the training, validation and test sets of a task of several data sets."""
    from mmseg_ext.data.checks.check_task import check_task as compare

    found, paths = catalogue(configs).task(task, "command line", "task"), Paths(data, results)
    quality = compare(found, _prepared(found.datasets, data), paths.task_checks(task))
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
    write_subset(found, conditions[condition], seed, _prepared(found.datasets, data), out, lists)


@app.command()
def pretrain(
    settings: Annotated[str, typer.Option(help="Method, images, schedule and seed as JSON, as `plan` writes them.")],
    threads: Annotated[int, typer.Option(help="CPU threads.")] = 1,
    key: Key = None,
    configs: Configs = DEFAULT_CONFIGS,
    data: Data = DEFAULT_DATA,
    results: Results = DEFAULT_RESULTS,
) -> None:
    """Pre-train an encoder without labels, or continue."""
    from mmseg_ext.suite.pretrain_settings import PretrainSettings
    from mmseg_ext.suite.stages.pretraining import pretraining_need

    known, paths = catalogue(configs), Paths(data, results)
    asked = parse(PretrainSettings, _json(settings, "--settings"), "--settings")
    known.method(asked.track, asked.method, "--settings", "method")
    need = pretraining_need(asked, known, paths)
    _check_key(key, need.key)
    from mmseg_ext.engine.pretrain import pretrain as pretrain_encoder

    pretrain_encoder(asked, need, known, paths, threads)


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

    table = corrupt(_prepared([dataset], data)[dataset], parse(NoisyLabels, json.loads(labels), "--labels"), out)
    print(f"{len(table)} label maps, mean Dice to the truth {table['dice'].mean():.3f}: {out}")


@app.command()
def train(
    run: RunName,
    schedule: Annotated[str, typer.Option(help="Schedule as JSON, as in a suite's `schedule`.")],
    cases: CasesFile,
    variant: Annotated[list[str], typer.Option(help="Predictions to make: selection_inference; may be repeated.")],
    threads: Annotated[int, typer.Option(help="CPU threads.")] = 1,
    key: Key = None,
    pretraining: Annotated[str | None, typer.Option(help="As JSON, as in a suite's `pretraining`.")] = None,
    configs: Configs = DEFAULT_CONFIGS,
    data: Data = DEFAULT_DATA,
    results: Results = DEFAULT_RESULTS,
) -> None:
    """Train a run, or continue it, and predict its test cases."""
    from mmseg_ext.suite.run_key import run_key

    known = catalogue(configs)
    asked = pretraining and parse(Pretraining, _json(pretraining, "--pretraining"), "--pretraining")
    planned = PlannedRun(_run_id(run), parse(Schedule, _json(schedule, "--schedule"), "--schedule"), asked or None)
    _check_run(planned.id, known)
    found = run_key(planned, known)
    _check_key(key, found)
    from mmseg_ext.engine.train import train_run

    train_run(planned, found, known, Paths(data, results), cases, variant, threads)


@app.command()
def evaluate(
    run: RunName,
    protocol: Protocols,
    cases: CasesFile,
    configs: Configs = DEFAULT_CONFIGS,
    data: Data = DEFAULT_DATA,
    results: Results = DEFAULT_RESULTS,
    workers: Annotated[int, typer.Option(help="Processes that share the cases.")] = 1,
) -> None:
    """Score a run's predictions: one row per protocol, case and class."""
    from mmseg_ext.evaluation.evaluate import evaluate_run, write_cases

    known = catalogue(configs)
    run_id = _run_id(run)
    task = known.task(run_id.task, "command line", "RUN")
    protocols = [known.protocol(name, "command line", "--protocol") for name in protocol]
    folder = Paths(data, results).run(run_id)
    frame = evaluate_run(folder, _prepared(task.datasets, data), cases, task, protocols, workers)
    write_cases(frame, folder / "cases.csv")


@app.command()
def measure_noise(
    run: RunName,
    variant: Annotated[str, typer.Option(help="Predictions of the test cases to measure: selection_inference.")],
    cases: CasesFile,
    labels: Annotated[str, typer.Option(help="Folder of noisy labels by data set, as JSON.")] = "{}",
    configs: Configs = DEFAULT_CONFIGS,
    data: Data = DEFAULT_DATA,
    results: Results = DEFAULT_RESULTS,
) -> None:
    """Measure a run near fuzzy and sharp borders, and what it made of its noisy labels."""
    from mmseg_ext.evaluation.label_noise import noise_table
    from mmseg_ext.suite.files import write_text

    run_id = _run_id(run)
    task = catalogue(configs).task(run_id.task, "command line", "RUN")
    folder = Paths(data, results).run(run_id)
    noisy = {name: Path(path) for name, path in json.loads(labels).items()}
    table = noise_table(run_id, folder, _prepared(task.datasets, data), cases, task, variant, noisy)
    write_text(folder / "noise.csv", table.to_csv(index=False, lineterminator="\n"))


@app.command()
def controls(
    task: str,
    protocol: Protocols,
    cases: CasesFile,
    configs: Configs = DEFAULT_CONFIGS,
    data: Data = DEFAULT_DATA,
    results: Results = DEFAULT_RESULTS,
) -> None:
    """Score pseudo-methods that must bound every measure on a task: oracle, empty, dilated truth."""
    from mmseg_ext.evaluation.controls import check_controls, control_cases
    from mmseg_ext.evaluation.evaluate import write_cases

    known = catalogue(configs)
    found = known.task(task, "command line", "task")
    protocols = [known.protocol(name, "command line", "--protocol") for name in protocol]
    # The quirks of a paper's evaluator keep no bounds.
    protocols = [one for one in protocols if one.paper is None]
    frame = control_cases(found, _prepared(found.datasets, data), cases, protocols)
    write_cases(frame, Paths(data, results).controls(task) / "cases.csv")
    check_controls(frame)


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

    for path in predict_files(Paths(results=results).run(_run_id(run)), images, out, selection, overlays):
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

    print(export_run(Paths(results=results).run(_run_id(run)), out, selection))


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


@app.command()
def schemas(
    folder: Annotated[Path, typer.Option(help="Where the schema files lie.")] = Path("workflow/schemas"),
    check: Annotated[bool, typer.Option("--check", help="Only say which files are out of date.")] = False,
) -> None:
    """Generate the JSON Schemas of the configuration files."""
    from mmseg_ext.suite.schemas import stale, write_schemas

    if not check:
        write_schemas(folder)
    elif found := stale(folder):
        raise InputError(found[0], "content", "out of date", "the models' schema", "Run `python -m mmseg_ext schemas`.")


app.add_typer(cli_catalogue.app)
app.add_typer(cli_zero_shot.app)


def _json(text: str, option: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        raise InputError("command line", option, text, f"valid JSON ({error})") from None
    if not isinstance(value, dict):
        raise InputError("command line", option, text, "a JSON object")
    return value


def _check_key(asked: str | None, found: str) -> None:
    if asked is not None and asked != found:
        hint = "Configs or code changed since the workflow was started; start it again."
        raise InputError("command line", "--key", asked, found, hint)


def _run_id(text: str) -> RunId:
    try:
        return RunId.parse(text)
    except ValueError:
        raise InputError("command line", "RUN", text, "track/task/method/condition/seed_N") from None


def _check_run(run: RunId, known: Catalogue) -> None:
    from mmseg_ext.suite.errors import unknown_name

    track = known.track(run.track, "command line", "RUN")
    known.task(run.task, "command line", "RUN")
    known.method(run.track, run.method, "command line", "RUN")
    if run.condition not in track.conditions:
        raise unknown_name("command line", "RUN", run.condition, f"a condition of {run.track!r}", track.conditions)


def _prepared(names: list[str], data: Path) -> dict[str, Any]:
    from mmseg_ext.data.prepared import PreparedDataset

    return {name: PreparedDataset(Paths(data).prepared(name)) for name in names}
