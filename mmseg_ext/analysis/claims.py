"""Verdicts on published claims, from intervals and stated margins.

Let g be how much better the method is than what it is held against, in the direction of the measure: its lead over
the other method less the margin (`better_than`), or its mean less the published value plus the margin (`at_least`).
With the 95 % interval of g, from the hierarchical bootstrap:

- `reproduced`: the whole interval is above 0;
- `not reproduced`: the whole interval is below 0;
- `inconclusive`: the interval holds 0, or there are fewer than MIN_SEEDS seeds or MIN_PATIENTS patients;
- `not run`: a run the claim needs is not planned, has failed or has not run; the reason says which.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from mmseg_ext.analysis.bootstrap import Estimate, Sizes, estimate, tabulate
from mmseg_ext.analysis.collect import DONE
from mmseg_ext.analysis.comparisons import PERMUTATIONS, paired_difference
from mmseg_ext.analysis.measures import UNSEEN_IOU, macro_cases, orientation, select
from mmseg_ext.analysis.plan_file import PlanFile
from mmseg_ext.analysis.pooled_differences import pooled_differences
from mmseg_ext.analysis.published import read_published
from mmseg_ext.suite.catalogue import stems
from mmseg_ext.suite.claim import AtLeast, BetterThan, Claim, ClaimFile, PublishedValue, TestedRuns
from mmseg_ext.suite.errors import InputError, unknown_name
from mmseg_ext.suite.loading import load

MIN_SEEDS = 3
MIN_PATIENTS = 10
REPRODUCED, NOT_REPRODUCED, INCONCLUSIVE, NOT_RUN = "reproduced", "not reproduced", "inconclusive", "not run"
CLAIM_COLUMNS = [
    "paper", "claim", "sentence", "source", "track", "task", "method", "verdict", "reason",
    "quantity", "value", "ci_low", "ci_high", "threshold", "n_cases", "n_patients", "n_seeds",
]  # fmt: skip


@dataclass(frozen=True)
class Evidence:
    """What a claim's verdict rests on."""

    quantity: str
    estimate: Estimate
    threshold: float
    """What the quantity has to exceed; with a measure of which less is better, to stay below."""
    sizes: Sizes


def claim_table(configs: Path, plan: PlanFile, cases: pd.DataFrame, status: pd.DataFrame) -> pd.DataFrame:
    """Return the verdict on every claim about a track of the plan.

    Args:
        configs: Folder with `claims/<paper>.yaml` and `published/<paper>.csv`.
        plan: The plan.
        cases: CASE_COLUMNS.
        status: Status of every planned run.

    Raises:
        InputError: If a claim file is invalid or refers to a published number that is not there.
    """
    rows: list[dict[str, Any]] = []
    for paper in stems(configs / "claims", "yaml"):
        file = configs / "claims" / f"{paper}.yaml"
        claims = load(ClaimFile, file, "claims_of").claims
        published = configs / "published" / f"{paper}.csv"
        rows += [
            {"paper": paper, **_judge(claim, file, published, plan, cases, status)}
            for claim in claims
            if claim.test.track in plan.tracks
        ]
    return pd.DataFrame(rows, columns=CLAIM_COLUMNS)


def _judge(
    claim: Claim, file: Path, published: Path, plan: PlanFile, cases: pd.DataFrame, status: pd.DataFrame
) -> dict[str, Any]:
    test = claim.test
    # Looked up first, so that a wrong reference is an error even where nothing has run.
    target = published_value(published, test.published, file) if isinstance(test, AtLeast) else None
    row = {
        "claim": claim.claim,
        "sentence": claim.sentence,
        "source": claim.source,
        "track": test.track,
        "task": test.task,
        "method": test.method,
    }
    missing = _missing(test, plan, status)
    if missing:
        return {**row, "verdict": NOT_RUN, "reason": missing}
    own = _one_test_set(_rows(test, test.method, cases), test, file, claim)
    other = _rows(test, test.than if isinstance(test, BetterThan) else test.method, cases)
    evidence = _evidence(test, target, own, other, plan)
    verdict, reason = judge(evidence, orientation(test.measure))
    return {
        **row,
        "verdict": verdict,
        "reason": reason,
        "quantity": evidence.quantity,
        "value": evidence.estimate.mean,
        "ci_low": evidence.estimate.low,
        "ci_high": evidence.estimate.high,
        "threshold": evidence.threshold,
        "n_cases": evidence.sizes.cases,
        "n_patients": evidence.sizes.patients,
        "n_seeds": evidence.sizes.seeds,
    }


def judge(evidence: Evidence, way: int) -> tuple[str, str]:
    """Return verdict and reason for a quantity that has to be above its threshold (way 1) or below it (way -1)."""
    sizes, found = evidence.sizes, evidence.estimate
    if sizes.seeds < MIN_SEEDS:
        return INCONCLUSIVE, f"{sizes.seeds} seed(s); a verdict needs {MIN_SEEDS}"
    if sizes.patients < MIN_PATIENTS:
        return INCONCLUSIVE, f"{sizes.patients} patient(s); a verdict needs {MIN_PATIENTS}"
    ends = sorted((way * (found.low - evidence.threshold), way * (found.high - evidence.threshold)))
    if any(math.isnan(end) for end in ends):
        return INCONCLUSIVE, "the measure is undefined"
    side = "above" if way == 1 else "below"
    if ends[0] > 0:
        return REPRODUCED, f"the whole interval is {side} the threshold"
    if ends[1] < 0:
        return NOT_REPRODUCED, f"no part of the interval is {side} the threshold"
    return INCONCLUSIVE, "the interval holds the threshold"


def _evidence(
    test: BetterThan | AtLeast, target: float | None, own: pd.DataFrame, other: pd.DataFrame, plan: PlanFile
) -> Evidence:
    way, resamples = orientation(test.measure), plan.suite.bootstrap_samples
    if isinstance(test, AtLeast):
        assert target is not None
        sample = tabulate(macro_cases(own), test.measure)
        quantity = f"{test.measure} of {test.method}"
        return Evidence(quantity, estimate(sample, resamples), target - way * test.margin, sample.sizes)
    if test.classes == "unseen":
        quantity = f"{test.measure} of unseen classes of {test.method} minus {test.than}"
        unseen = plan.tasks[test.task].unseen
        found = pooled_differences(own, other, unseen, resamples, PERMUTATIONS)[UNSEEN_IOU]
    else:
        quantity = f"{test.measure} of {test.method} minus {test.than}"
        found = paired_difference(macro_cases(own), macro_cases(other), test.measure, resamples)
    return Evidence(quantity, found.estimate, way * test.margin, found.sizes)


def _rows(test: TestedRuns, method: str, cases: pd.DataFrame) -> pd.DataFrame:
    found = select(
        cases,
        track=test.track, task=test.task, method=method, condition=test.condition, protocol=test.protocol,
    )  # fmt: skip
    return found if test.dataset is None else select(found, dataset=test.dataset)


def _one_test_set(found: pd.DataFrame, test: TestedRuns, file: Path, claim: Claim) -> pd.DataFrame:
    datasets = sorted(set(found["dataset"]))
    if len(datasets) != 1:
        field = f"{claim.claim}.test.dataset"
        raise InputError(file, field, test.dataset, f"one test set of task {test.task!r}: {', '.join(datasets)}")
    return found


def _missing(test: BetterThan | AtLeast, plan: PlanFile, status: pd.DataFrame) -> str:
    """Return why a claim cannot be tested, or an empty text."""
    methods = [test.method, test.than] if isinstance(test, BetterThan) else [test.method]
    if test.protocol not in plan.protocols:
        return f"protocol {test.protocol} is not in this suite"
    if isinstance(test, BetterThan) and test.protocol not in plan.ranking_protocols:
        return f"the test set chose the checkpoints of protocol {test.protocol}, so it ranks nothing"
    part = select(status, track=test.track)
    for column, names in (("method", methods), ("task", [test.task]), ("condition", [test.condition])):
        for name in names:
            if name not in set(part[column]):
                return f"{name} is not in this suite"
    for method in methods:
        runs = select(part, task=test.task, method=method, condition=test.condition)
        if runs.empty:
            return f"{method} on {test.task} under {test.condition} is not in this suite"
        if DONE not in set(runs["status"]):
            first = runs.iloc[0]
            return f"{first['run']}: {first['status']} ({first['reason']})"
    return ""


def published_value(table: Path, wanted: PublishedValue, file: Path) -> float:
    """Return a published number; percentages as fractions.

    Args:
        table: `configs/published/<paper>.csv`.
        wanted: The cells that name the row.
        file: The claims, for the error message.

    Raises:
        InputError: If there is no such row, or more than one.
    """
    rows = read_published(table)
    for column, value in wanted.model_dump(exclude_none=True).items():
        if column not in rows:
            raise InputError(table, "columns", list(rows), f"a column {column}, by which {file} names a row")
        known = set(rows[column])
        rows = rows[rows[column] == value]
        if rows.empty:
            raise unknown_name(file, f"published.{column}", value, f"a {column} of {table}", known)
    if len(rows) > 1:
        raise InputError(file, "published", wanted.model_dump(), f"cells that name one row of {table}")
    value = float(rows.iloc[0]["value"])
    return value / 100 if rows.iloc[0]["unit"] == "%" else value
