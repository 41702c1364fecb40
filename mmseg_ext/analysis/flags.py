"""What a reader must know before trusting a number."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pandas as pd

from mmseg_ext.analysis.collect import DONE, Results
from mmseg_ext.analysis.measures import MACRO, select
from mmseg_ext.analysis.noop import same_predictions
from mmseg_ext.analysis.plan_file import PlanFile
from mmseg_ext.analysis.ranks import GROUP

FEW_CASES = 50
FEW_SEEDS = 5
FLAG_COLUMNS = ["kind", "subject", "text"]


def flag_table(
    plan: PlanFile, results: Results, scores: pd.DataFrame, ranks: pd.DataFrame, controls: pd.DataFrame
) -> pd.DataFrame:
    """Return every flag, sorted: same predictions, chosen on test, few cases or seeds, no ranks, controls or cost."""
    flags: list[dict[str, Any]] = []

    def add(kind: str, subject: Iterable[object], text: str) -> None:
        flags.append({"kind": kind, "subject": "/".join(map(str, subject)), "text": text})

    for variant, runs in same_predictions(results.variants):
        text = f"These runs differ in a setting, yet their predictions ({variant}) are the same to the last pixel"
        add("same_predictions", [", ".join(runs)], text)
    for protocol in sorted(set(plan.suite.protocols) - set(plan.ranking_protocols)):
        text = "The test set chose its checkpoints, as in the paper: its scores are too good, and rank nothing"
        add("chosen_on_test", [protocol], text)
    macro = select(scores, class_name=MACRO, measure="dsc")
    for (task, dataset), part in macro.groupby(["task", "dataset"], sort=True):
        subject = [task] if task == dataset else [task, dataset]
        cases = int(part["n_cases"].max())
        if cases < FEW_CASES:
            add(
                "few_cases",
                subject,
                f"{cases} test cases; below {FEW_CASES} the intervals are likely too narrow",
            )
        seeds = int(part["n_seeds"].max())
        if seeds == 1:
            add(
                "one_seed",
                subject,
                "One seed: the intervals are over patients only, and leave out training's luck",
            )
        elif seeds < FEW_SEEDS:
            add("few_seeds", subject, f"{seeds} seeds; below {FEW_SEEDS} the intervals are likely too narrow")
    for key, part in results.status.groupby(["track", "task", "method", "condition"], sort=True):
        done = int((part["status"] == DONE).sum())
        if 0 < done < len(part):
            add("missing_seeds", key, f"{done} of {len(part)} seeds finished")
    ranked = {key for key, _ in ranks.groupby(GROUP)}
    for key, part in macro.groupby(GROUP, sort=True):
        may_rank = part["protocol"].iloc[0] in plan.ranking_protocols
        if may_rank and len(set(part["method"])) > 1 and key not in ranked:
            add("not_ranked", key, "No case and seed is common to all methods, so they are not ranked")
    for row in select(controls, verdict="not run").itertuples():
        add("no_controls", (row.task,), f"The controls were not scored: {row.reason}")
    finished = set(select(results.status, status=DONE)["run"])
    for run in sorted(finished - set(results.cost["run"])):
        add("no_cost", (run,), "No cost was recorded")
    return pd.DataFrame(flags, columns=FLAG_COLUMNS).sort_values(FLAG_COLUMNS, ignore_index=True)
