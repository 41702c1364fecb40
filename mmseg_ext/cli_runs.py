"""Sub-commands of the stages of runs: pre-training, training, scoring."""

from __future__ import annotations

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
    RunName,
    json_object,
    parse_run,
    prepared_datasets,
)
from mmseg_ext.suite.catalogue import Catalogue, catalogue
from mmseg_ext.suite.errors import InputError
from mmseg_ext.suite.loading import parse
from mmseg_ext.suite.matrix import PlannedRun, RunId
from mmseg_ext.suite.paths import Paths
from mmseg_ext.suite.suite_config import Pretraining, Schedule

app = typer.Typer()

Protocols = Annotated[list[str], typer.Option("--protocol", help="Protocol; may be repeated.")]
Key = Annotated[str | None, typer.Option(help="Refuse to start unless the hash of all settings is this one.")]
CasesFile = Annotated[Path, typer.Option("--cases", help="List of cases written by `subset`.")]


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
    asked = parse(PretrainSettings, json_object(settings, "--settings"), "--settings")
    known.method(asked.track, asked.method, "--settings", "method")
    need = pretraining_need(asked, known, paths)
    _check_key(key, need.key)
    from mmseg_ext.engine.pretrain import pretrain as pretrain_encoder

    pretrain_encoder(asked, need, known, paths, threads)


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
    asked = pretraining and parse(Pretraining, json_object(pretraining, "--pretraining"), "--pretraining")
    planned = PlannedRun(
        parse_run(run), parse(Schedule, json_object(schedule, "--schedule"), "--schedule"), asked or None
    )
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
    run_id = parse_run(run)
    task = known.task(run_id.task, "command line", "RUN")
    protocols = [known.protocol(name, "command line", "--protocol") for name in protocol]
    folder = Paths(data, results).run(run_id)
    frame = evaluate_run(folder, prepared_datasets(task.datasets, data), cases, task, protocols, workers)
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

    run_id = parse_run(run)
    task = catalogue(configs).task(run_id.task, "command line", "RUN")
    folder = Paths(data, results).run(run_id)
    noisy = {name: Path(path) for name, path in json_object(labels, "--labels").items()}
    table = noise_table(run_id, folder, prepared_datasets(task.datasets, data), cases, task, variant, noisy)
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
    frame = control_cases(found, prepared_datasets(found.datasets, data), cases, protocols)
    write_cases(frame, Paths(data, results).controls(task) / "cases.csv")
    check_controls(frame)


def _check_key(asked: str | None, found: str) -> None:
    if asked is not None and asked != found:
        hint = "Configs or code changed since the workflow was started; start it again."
        raise InputError("command line", "--key", asked, found, hint)


def _check_run(run: RunId, known: Catalogue) -> None:
    from mmseg_ext.suite.errors import unknown_name

    track = known.track(run.track, "command line", "RUN")
    known.task(run.task, "command line", "RUN")
    known.method(run.track, run.method, "command line", "RUN")
    if run.condition not in track.conditions:
        raise unknown_name("command line", "RUN", run.condition, f"a condition of {run.track!r}", track.conditions)
