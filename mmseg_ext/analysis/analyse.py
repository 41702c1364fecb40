"""From the files of a suite's runs to its tables."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from mmseg_ext.analysis.claims import claim_table
from mmseg_ext.analysis.collect import collect
from mmseg_ext.analysis.comparisons import comparison_table
from mmseg_ext.analysis.controls import control_table
from mmseg_ext.analysis.flags import flag_table
from mmseg_ext.analysis.noise import noise_table
from mmseg_ext.analysis.plan_file import read_plan
from mmseg_ext.analysis.pooled import pooled_table
from mmseg_ext.analysis.ranks import rank_table
from mmseg_ext.analysis.scores import score_table
from mmseg_ext.analysis.sensitivity import sensitivity_table
from mmseg_ext.suite.files import write_text


def analyse(plan: Path, out: Path, configs: Path = Path("configs")) -> None:
    """Write the tables of a suite, from cases and scores to noise and flags, as CSV.

    The bytes depend on the inputs alone. `cost.csv` is the only table with numbers bound to the hardware.

    Args:
        plan: The suite's plan.
        out: Folder for the tables.
        configs: Folder of the configurations, for claims and published numbers.

    Raises:
        InputError: If an input is not what it should be, or a bound is broken; nothing is written then.
    """
    read = read_plan(plan)
    results = collect(read)
    controls = control_table(read, results.cases)
    resamples = read.suite.bootstrap_samples
    unseen = {name: task.unseen for name, task in read.tasks.items()}
    scores = score_table(results.cases, resamples)
    # Numbers that the test set chose are shown, but decide no comparison and no rank.
    comparable = results.cases[results.cases["protocol"].isin(read.ranking_protocols)]
    comparisons = comparison_table(comparable, resamples, unseen)
    ranks = rank_table(comparable, comparisons, resamples, unseen)
    tables = {
        "cases": results.cases,
        "scores": scores,
        "pooled": pooled_table(results.cases, read.pooled_protocols, resamples, unseen),
        "comparisons": comparisons,
        "ranks": ranks,
        "status": results.status,
        "cost": results.cost,
        "claims": claim_table(configs, read, results.cases, results.status),
        "controls": controls,
        "noise": noise_table(read, results.status, resamples),
        "sensitivity": sensitivity_table(configs, read, scores),
        "flags": flag_table(read, results, scores, ranks, controls),
    }
    for name, table in tables.items():
        _write(table, out / f"{name}.csv")


def _write(table: pd.DataFrame, path: Path) -> None:
    write_text(path, table.to_csv(index=False, lineterminator="\n"))
