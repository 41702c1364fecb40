"""Evaluation of a run: its stored predictions against the prepared labels, under one or several protocols."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from mmseg_ext.data.prepared import Case, PreparedDataset
from mmseg_ext.evaluation.cases import MeasuredCase, case_rows, case_table, measure_case, read_test_cases, read_truth
from mmseg_ext.evaluation.predictions import TRAIN_AGAIN, read_prediction, require_prediction
from mmseg_ext.evaluation.scoring import SCORING
from mmseg_ext.suite.errors import InputError, unknown_name
from mmseg_ext.suite.files import read_json, write_text
from mmseg_ext.suite.matrix import RunId
from mmseg_ext.suite.processes import in_processes
from mmseg_ext.suite.run_key import FORMAT_VERSION
from mmseg_ext.suite.task import Task
from mmseg_ext.suite.track import Protocol

_Job = tuple[Path, Case, str]
"""The folder that holds the prediction, the case, and a scoring that measures as asked."""


def evaluate_run(
    run_folder: Path,
    prepared: dict[str, PreparedDataset],
    subset: Path,
    task: Task,
    protocols: list[Protocol],
    workers: int = 1,
) -> pd.DataFrame:
    """Measure and score every test case of a run.

    Args:
        run_folder: Folder of a finished run, with `run.json` and `predictions/<variant>/<dataset>/`.
        prepared: Prepared data sets by name, at least those of the test cases.
        subset: Training subset of the run; its rows `test` are the cases.
        task: The run's task.
        protocols: How to score; each scores the predictions of its variant.
        workers: Processes to spread the cases over; the result is the same for any number.

    Returns:
        Columns `cases.COLUMNS`, one row per protocol, case and foreground class, in this order.

    Raises:
        InputError: If the run was written in another format, is of another task, lacks a variant or a
            prediction, was made from other data, or a prediction does not fit its case.
    """
    cases = read_test_cases(subset, task, prepared)
    tested = {case.dataset: prepared[case.dataset] for case in cases}
    run = _check_run(run_folder / "run.json", tested, task, protocols)
    predictions = run_folder / "predictions"
    ways = dict.fromkeys((protocol.variant, _way(protocol)) for protocol in protocols)
    jobs = [(predictions / variant / case.dataset, case, way) for variant, way in ways for case in cases]
    # A gap among the predictions stops the evaluation here, not after all cases before it.
    for folder, case, _ in jobs:
        require_prediction(folder, case.case)
    measured = dict(zip(jobs, _measure_all(jobs, tested, task, workers), strict=True))
    rows: list[dict[str, Any]] = []
    for protocol in protocols:
        for case in cases:
            found = measured[predictions / protocol.variant / case.dataset, case, _way(protocol)]
            rows.extend(case_rows(run, protocol, case, found))
    return case_table(rows)


def _way(protocol: Protocol) -> str:
    """Return the first scoring that measures as that of the protocol does, so that nothing is measured twice."""
    wanted = SCORING[protocol.scoring]
    alike = (wanted.measure, wanted.in_pixels)
    return next(name for name, scoring in SCORING.items() if (scoring.measure, scoring.in_pixels) == alike)


def write_cases(frame: pd.DataFrame, path: Path) -> None:
    """Write a table of scored cases as CSV, whole or not at all; the same table gives the same bytes."""
    write_text(path, frame.to_csv(index=False, lineterminator="\n"))


def _check_run(file: Path, tested: Mapping[str, PreparedDataset], task: Task, protocols: Sequence[Protocol]) -> RunId:
    """Return the identity of the run after checking that it can be scored as asked."""
    card = read_json(file)
    if card.get("format") != FORMAT_VERSION:
        raise InputError(file, "format", card.get("format"), f"version {FORMAT_VERSION}", TRAIN_AGAIN)
    try:
        run = RunId.parse(card["run"])
    except ValueError as error:
        raise InputError(file, "run", card["run"], "track/task/method/condition/seed_N") from error
    if (run.task, card["classes"]) != (task.task, task.classes):
        found = [card["run"], card["classes"]]
        raise InputError(file, "run, classes", found, f"a run of task {task.task} with classes {task.classes}")
    for dataset, data in tested.items():
        used, now = card["data"].get(dataset), data.content_hash
        if used != now:
            expected = f"the content hash of the prepared data set, {now}"
            raise InputError(file, f"data.{dataset}", used, expected, TRAIN_AGAIN)
    variants = card["variants"]
    for protocol in protocols:
        if protocol.variant not in variants:
            raise unknown_name(file, "variants", protocol.variant, "a variant this run predicted", variants)
    return run


def _measure_all(
    jobs: Sequence[_Job], prepared: dict[str, PreparedDataset], task: Task, workers: int
) -> list[MeasuredCase]:
    """Measure every job, in order."""
    # The data sets travel once per chunk.
    chunk = -(-len(jobs) // (4 * workers))
    return list(in_processes(partial(_measure_stored, prepared, task), jobs, workers, chunk))


def _measure_stored(prepared: Mapping[str, PreparedDataset], task: Task, job: _Job) -> MeasuredCase:
    folder, case, scoring = job
    data = prepared[case.dataset]
    truth = read_truth(data, case, task)
    prediction = read_prediction(folder, case.case)
    file = folder / f"{case.case}.npz"
    if prediction.shape != truth.shape:
        expected = f"the shape of the case, {truth.shape}"
        raise InputError(file, "labels.shape", prediction.shape, expected, TRAIN_AGAIN)
    highest = int(prediction.max())
    if highest >= len(data.classes):
        raise InputError(file, "labels", highest, f"class ids below {len(data.classes)}", TRAIN_AGAIN)
    return measure_case(data, case, truth, prediction, task.nsd_tolerance, SCORING[scoring])
