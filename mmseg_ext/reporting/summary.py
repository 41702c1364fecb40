"""What the tables say, in words."""

from __future__ import annotations

from dataclasses import dataclass

from mmseg_ext.analysis.claims import INCONCLUSIVE, NOT_REPRODUCED, NOT_RUN, REPRODUCED
from mmseg_ext.analysis.collect import DONE, FAILED
from mmseg_ext.reporting.formatting import count_text
from mmseg_ext.reporting.inputs import Inputs
from mmseg_ext.reporting.tables import ResultTable, Row, Score

VERDICTS = (REPRODUCED, NOT_REPRODUCED, INCONCLUSIVE, NOT_RUN)


@dataclass(frozen=True)
class Leader:
    """The method with the best deciding score under one condition of a test set."""

    where: str
    condition: str
    row: Row
    score: Score
    certainty: str
    """How sure the lead is."""
    separable: bool


def leaders(inputs: Inputs, track: str, task: str, dataset: str, table: ResultTable) -> list[Leader]:
    """Return the leader of each condition of the first table of a test set, whose first column decides."""
    found = []
    for condition in inputs.conditions(track):
        rows = [row for row in table.rows if row.condition == condition and row.scores]
        if not rows:
            continue
        best = max(rows, key=lambda row: row.scores[0].mean)
        others = [row for row in rows if row.method != best.method]
        near = [row.title for row in others if set(row.letters) & set(best.letters)]
        if not others:
            certainty = "the only method that finished"
        elif not best.letters:
            certainty = "not ranked: no case and seed common to all methods"
        elif near and len(best.runs) == 1:
            certainty = f"one seed cannot tell it from {_listed(near)}"
        elif near:
            certainty = f"not separable from {_listed(near)}"
        else:
            certainty = "separable from every other method"
        separable = bool(others) and bool(best.letters) and not near
        title = inputs.condition_title(track, condition)
        found.append(Leader(inputs.test_set_title(task, dataset), title, best, best.scores[0], certainty, separable))
    return found


def _listed(names: list[str]) -> str:
    """Return up to three names, or how many there are."""
    if len(names) > 3:
        return f"{len(names)} other methods"
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def headline(inputs: Inputs, found: list[Leader]) -> list[str]:
    """Return the opening sentences of the page."""
    status = inputs.results.status["status"]
    runs = f"{inputs.done} of {count_text(len(status), 'run')} finished"
    failed, absent = int((status == FAILED).sum()), int(((status != FAILED) & (status != DONE)).sum())
    broken = [f"{failed} failed"] * bool(failed) + [f"{absent} did not run"] * bool(absent)
    sentences = [f"{runs}; {' and '.join(broken)}." if broken else f"{runs}."]
    contested = [leader for leader in found if leader.certainty != "the only method that finished"]
    if contested:
        sure = sum(leader.separable for leader in contested)
        sentences.append(
            f"In {sure} of {count_text(len(contested), 'comparison')}, one method is separable from all others."
        )
    verdicts = inputs.tables["claims"]["verdict"]
    if len(verdicts):
        parts = [f"{int((verdicts == name).sum())} {name}" for name in VERDICTS if (verdicts == name).any()]
        sentences.append(f"Of {count_text(len(verdicts), 'published claim')}: {', '.join(parts)}.")
    return sentences
