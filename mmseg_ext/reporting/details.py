"""The smaller tables of the page: cost, data, controls, comparisons, versions."""

from __future__ import annotations

from typing import Any

import pandas as pd

from mmseg_ext.analysis.measures import select
from mmseg_ext.reporting.formatting import (
    count_text,
    duration,
    first_names,
    interval_text,
    p_text,
    plain,
    quantity,
    range_text,
    value_text,
)
from mmseg_ext.reporting.inputs import Inputs


def cost_rows(inputs: Inputs) -> list[dict[str, Any]]:
    """Return one row per track, task and method: means over its finished runs."""
    rows = []
    for (track, task, method), part in inputs.tables["cost"].groupby(["track", "task", "method"], sort=True):
        first = part.iloc[0]
        mean = part.select_dtypes("number").mean()
        rows.append(
            {
                "task": inputs.task(task).title,
                "method": inputs.method_title(track, method),
                "folder": _method_folder(inputs, first["run"]),
                "parameters": quantity(mean.get("parameters_total", float("nan"))),
                "live": quantity(mean.get("parameters_live", float("nan"))),
                "flops": quantity(mean.get("flops", float("nan"))),
                "flops_input": str(first["flops_input"]).replace("x", " × "),
                "train_speed": quantity(mean.get("train_images_per_s", float("nan"))),
                "inference_speed": quantity(mean.get("inference_images_per_s", float("nan"))),
                "memory": _megabytes(mean.get("peak_memory_mb", float("nan"))),
                "train_time": duration(mean.get("train_wall_s", float("nan"))),
                "predict_time": duration(mean.get("predict_wall_s", float("nan"))),
                "runs": len(part),
            }
        )
    return rows


def hardware(inputs: Inputs) -> str:
    """Return the hardware and FLOP counters of all runs, in words."""
    cost = inputs.tables["cost"]
    machines = sorted({f"{row.device} ({row.hardware})" for row in cost.itertuples()})
    tools = sorted(set(cost["flops_tool"].dropna()))
    text = f"Hardware: {'; '.join(machines)}." if machines else ""
    return text + (f" FLOPs counted by {', '.join(tools)}." if tools else "")


def _method_folder(inputs: Inputs, run: str) -> Any:
    return next(cell.folder for cell in inputs.plan.runs if cell.run == run).parents[1]


def _megabytes(value: float) -> str:
    return value_text("hd95", value) if pd.isna(value) else f"{value:,.0f} MB".replace(",", " ")


def data_rows(inputs: Inputs) -> list[dict[str, Any]]:
    """Return one row per data set: what it is, how much of it there is, how it is used."""
    rows = []
    for name, (task, data) in _datasets(inputs).items():
        card = inputs.cards.get(name, {})
        counts = card.get("counts", {})
        used = [record["cases"] for record in inputs.results.records.values() if name in record["data"]]
        split = (
            " / ".join(range_text([cases[part] for cases in used]) for part in ("train", "val", "test")) if used else ""
        )
        rows.append(
            {
                "title": data.title,
                "name": name,
                "homepage": data.homepage,
                "citation": data.citation,
                "modality": data.modality,
                "licence": data.licence,
                "access": data.access,
                "classes": first_names([plain(label) for label in task.classes[1:]]),
                "counts": ", ".join(
                    count_text(counts[key], key[:-1]) for key in ("patients", "cases", "samples") if counts
                ),
                "split": split,
                "unit": task.unit,
                "hash": card.get("content_sha256", "")[:12],
                "skipped": len(card.get("skipped", {})),
            }
        )
    return rows


def _datasets(inputs: Inputs) -> dict[str, Any]:
    return {name: (task, data) for task in inputs.plan.tasks.values() for name, data in task.datasets.items()}


def control_rows(inputs: Inputs) -> list[dict[str, str]]:
    """Return one row per task and measure with the mean of each control."""
    rows = []
    for row in inputs.tables["controls"].itertuples():
        scored = row.verdict == "bounded"
        if scored and row.measure not in ("dsc", "nsd", "hd95"):
            continue
        rows.append(
            {
                "task": inputs.task(row.task).title,
                "measure": row.measure if scored else "",
                "protocol": row.protocol if scored else "",
                **{
                    name: value_text(row.measure, getattr(row, name)) if scored else ""
                    for name in ("oracle", "dilated", "empty")
                },
                "verdict": row.verdict if scored else f"not run: {row.reason}",
            }
        )
    return rows


def comparison_rows(inputs: Inputs, track: str, task: str, dataset: str, protocol: str) -> list[dict[str, Any]]:
    """Return the paired comparisons of a test set, methods first."""
    table = select(inputs.tables["comparisons"], track=track, task=task, dataset=dataset, protocol=protocol)
    rows = []
    for row in table.sort_values("kind", ascending=False, kind="stable").itertuples():
        methods = row.kind == "methods"
        name, other = (
            (inputs.method_title, inputs.condition_title) if methods else (inputs.condition_title, inputs.method_title)
        )
        rows.append(
            {
                "a": name(track, row.a),
                "b": name(track, row.b),
                "held": other(track, row.held),
                "measure": row.measure,
                "difference": f"{row.difference:+.3f}" if not pd.isna(row.difference) else "–",
                "interval": interval_text(row.measure, row.ci_low, row.ci_high),
                "superiority": value_text("dsc", row.superiority),
                "p": p_text(row.p_holm),
                "n": f"{row.n_patients} × {row.n_seeds}",
                "separable": bool(row.separable),
            }
        )
    return rows


def versions(inputs: Inputs) -> dict[str, str]:
    """Return the software versions that the runs recorded, several where they differ."""
    found: dict[str, set[str]] = {}
    for record in inputs.results.records.values():
        for name, version in record["versions"].items():
            found.setdefault(name, set()).add(str(version))
    return {name: ", ".join(sorted(found[name])) for name in sorted(found)}
