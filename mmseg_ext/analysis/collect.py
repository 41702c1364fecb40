"""From the files of a suite's runs to tables: cases, status, cost, curves, predictions."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from mmseg_ext.analysis.measures import CASE_COLUMNS, RUN_COLUMNS
from mmseg_ext.analysis.plan_file import Cell, PlanFile
from mmseg_ext.suite.errors import InputError
from mmseg_ext.suite.files import read_json

DONE, FAILED, NOT_RUN = "done", "failed", "not run"
COST_COLUMNS = [
    "parameters_total", "parameters_live", "flops", "flops_tool", "flops_input", "train_images_per_s",
    "inference_images_per_s", "peak_memory_mb", "train_wall_s", "predict_wall_s", "device", "hardware",
]  # fmt: skip
VARIANT_COLUMNS = ["variant", "rule", "selected_on", "inference", "iteration", "predictions_sha256"]
_TEXT = [
    "track",
    "task",
    "method",
    "condition",
    "protocol",
    "dataset",
    "case",
    "patient",
    "class_name",
    "status",
    "unit",
]
_KEY = [*RUN_COLUMNS, "protocol", "dataset", "case", "class_id"]


@dataclass(frozen=True)
class Results:
    """All that a suite has produced so far."""

    cases: pd.DataFrame
    """CASE_COLUMNS; one row per run, protocol, case and foreground class."""
    status: pd.DataFrame
    """run, RUN_COLUMNS, status (done, failed, not run), reason."""
    cost: pd.DataFrame
    """run, RUN_COLUMNS, COST_COLUMNS."""
    curves: pd.DataFrame
    """RUN_COLUMNS, iteration, series, value."""
    variants: pd.DataFrame
    """run, RUN_COLUMNS, VARIANT_COLUMNS; one row per set of predictions."""
    records: dict[str, dict[str, Any]]
    """Content of `run.json` of every finished run, by run."""


def collect(plan: PlanFile) -> Results:
    """Read what the runs of a plan have left; a run that is missing or broken gets a status instead of rows.

    Raises:
        InputError: If a file that exists is not what its run should have written, or a key occurs twice.
    """
    cases, status, cost, curves, variants = [], [], [], [], []
    records: dict[str, dict[str, Any]] = {}
    for cell in sorted(plan.runs, key=lambda cell: cell.run):
        name = _name(cell)
        state, reason = _state(cell, plan)
        status.append({**name, "status": state, "reason": reason})
        if state != DONE:
            continue
        records[cell.run] = read_json(cell.folder / "run.json")
        cases.append(_run_cases(cell, plan))
        for variant, content in records[cell.run]["variants"].items():
            variants.append({**name, "variant": variant, **content})
        if (cell.folder / "cost.json").is_file():
            cost.append({**name, **_flat_cost(read_json(cell.folder / "cost.json"))})
        if (cell.folder / "curves.csv").is_file():
            curves.append(pd.read_csv(cell.folder / "curves.csv").assign(**{key: name[key] for key in RUN_COLUMNS}))
    run = ["run", *RUN_COLUMNS]
    return Results(
        cases=pd.concat(cases, ignore_index=True) if cases else pd.DataFrame(columns=CASE_COLUMNS),
        status=pd.DataFrame(status, columns=[*run, "status", "reason"]),
        cost=pd.DataFrame(cost, columns=[*run, *COST_COLUMNS]),
        curves=(
            pd.concat(curves, ignore_index=True)[[*RUN_COLUMNS, "iteration", "series", "value"]]
            if curves
            else pd.DataFrame(columns=[*RUN_COLUMNS, "iteration", "series", "value"])
        ),
        variants=pd.DataFrame(variants, columns=[*run, *VARIANT_COLUMNS]),
        records=records,
    )


def read_cases(path: Path) -> pd.DataFrame:
    """Read a table of cases, sorted by its key.

    Raises:
        InputError: If a column is missing or unknown, or a key occurs twice.
    """
    # A case may be called "NA"; only numbers can be missing.
    missing = {column: [""] for column in CASE_COLUMNS if column not in _TEXT}
    frame = pd.read_csv(path, dtype={column: str for column in _TEXT}, keep_default_na=False, na_values=missing)
    if list(frame.columns) != CASE_COLUMNS:
        raise InputError(path, "columns", list(frame.columns), f"{CASE_COLUMNS}")
    twice = frame[frame.duplicated(_KEY)]
    if len(twice):
        found = dict(zip(_KEY, twice.iloc[0][_KEY], strict=True))
        raise InputError(path, "rows", found, "one row per run, protocol, case and class")
    return frame.sort_values(_KEY, kind="stable", ignore_index=True)


def _name(cell: Cell) -> dict[str, Any]:
    return {"run": cell.run, **{column: getattr(cell, column) for column in RUN_COLUMNS}}


def _state(cell: Cell, plan: PlanFile) -> tuple[str, str]:
    record = cell.folder / "run.json"
    key = read_json(record)["key"] if record.is_file() else None
    if key == cell.key and (cell.folder / "cases.csv").is_file():
        missing = set(plan.protocols) - set(read_cases(cell.folder / "cases.csv")["protocol"])
        return (NOT_RUN, f"not evaluated under {', '.join(sorted(missing))}") if missing else (DONE, "")
    if (cell.work / "failure.json").is_file():
        failure = read_json(cell.work / "failure.json")
        where = f" at iteration {failure['iteration']}" if failure["iteration"] is not None else ""
        return FAILED, f"{failure['stage']}{where}: {failure['reason']}"
    if key == cell.key:
        return NOT_RUN, "trained, but not evaluated"
    if key is not None:
        return NOT_RUN, f"its folder holds results of other settings (key {key}, planned {cell.key})"
    return NOT_RUN, "no result, and no record of a failure"


def _run_cases(cell: Cell, plan: PlanFile) -> pd.DataFrame:
    path = cell.folder / "cases.csv"
    frame = read_cases(path)
    for column in RUN_COLUMNS:
        found = sorted(set(frame[column]))
        if found != [getattr(cell, column)]:
            raise InputError(path, column, found, f"only {getattr(cell, column)!r}, as its folder says")
    return frame[frame["protocol"].isin(list(plan.protocols))]


def _flat_cost(cost: dict[str, Any]) -> dict[str, Any]:
    size = cost["flops_input"]
    hardware = cost["hardware"]
    return {
        **cost,
        "flops_input": "x".join(map(str, size)) if size else "",
        "hardware": ", ".join(f"{key} {hardware[key]}" for key in sorted(hardware) if hardware[key] is not None),
    }
