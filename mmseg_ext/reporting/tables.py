"""Result tables: methods by measures, and methods by classes, independent of how they are printed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from mmseg_ext.analysis.collect import DONE
from mmseg_ext.analysis.flags import FEW_CASES, FEW_SEEDS
from mmseg_ext.analysis.measures import HARMONIC_IOU, MACRO, MEASURES, UNSEEN_IOU, orientation, select
from mmseg_ext.analysis.pooled import ACCURACY, HARMONIC, SEEN, UNSEEN
from mmseg_ext.reporting.formatting import MEASURE_TITLES, measure_title, plain, range_text
from mmseg_ext.reporting.inputs import Inputs
from mmseg_ext.suite.track import Inference, Selection

SUMMARY_MEASURES = ("dsc", "iou", "nsd", "hd95", "assd")
CLASS_MEASURES = ("dsc", "nsd", "hd95")
SELECTION_WORDS: dict[Selection, str] = {
    "last": "last checkpoint, which no data chose",
    "best_val": "checkpoint best on the validation set",
    "best_test": "checkpoint best on the test set, so the scores are too good",
}
INFERENCE_WORDS: dict[Inference, str] = {
    "gamma_0p1": "one forward pass, 0.1 less for seen classes",
    "plain": "one forward pass",
    "flip": "mean over the image and its mirror image",
    "resized_labels": "one forward pass, classes decided at the input size",
}
INTERVALS = {
    "patients and seeds": "hierarchical bootstrap over patients and seeds",
    "patients": "bootstrap over patients only, since there is one seed",
    "none": "no interval, since there is one patient",
}


@dataclass(frozen=True)
class Score:
    """One number of a table."""

    measure: str
    mean: float
    low: float
    high: float
    best: bool = False
    """Better than every other method of the condition, and separable from each."""


@dataclass(frozen=True)
class SeedRun:
    """One planned run behind a row."""

    seed: int
    status: str
    reason: str
    folder: Path


@dataclass(frozen=True)
class Row:
    """A method under a condition."""

    method: str
    title: str
    condition: str
    scores: list[Score]
    """Empty if no run has finished."""
    letters: str
    runs: list[SeedRun]

    @property
    def failure(self) -> str:
        """Why there are no scores."""
        return "; ".join(dict.fromkeys(f"{run.status}: {run.reason}" for run in self.runs if run.status != DONE))


@dataclass(frozen=True)
class ResultTable:
    """A table with all that its caption must say."""

    name: str
    title: str
    caption: str
    columns: list[str]
    measures: list[str]
    """What each column measures."""
    rows: list[Row]
    has_letters: bool


def result_tables(inputs: Inputs, track: str, task: str, dataset: str, protocol: str) -> list[ResultTable]:
    """Return the macro table of a test set and, where it has several classes, one table per measure and class.

    A task with unseen classes has a table before them, of pooled IoU over seen and unseen ones.
    """
    scores = select(inputs.tables["scores"], track=track, task=task, dataset=dataset, protocol=protocol)
    name = "_".join(dict.fromkeys(part for part in (track, task, dataset, protocol) if part))
    where = inputs.test_set_title(task, dataset)
    macro = select(scores, class_name=MACRO)
    unit = next((unit for unit in macro["unit"] if isinstance(unit, str)), inputs.task(task).unit)
    measures = list(SUMMARY_MEASURES)
    rows = _rows(inputs, track, task, dataset, protocol, {m: select(macro, measure=m) for m in measures})
    caption = _caption(inputs, protocol, macro, "Macro mean over foreground classes, then over cases")
    lettered = inputs.task(task).deciding in measures and any(row.letters for row in rows)
    if lettered:
        caption += _about_letters("DSC", "sign-flip permutation test")
    columns = [measure_title(measure, unit) for measure in measures]
    title = f"{where}: all classes" if inputs.task(task).unseen else where
    tables = [ResultTable(name, title, caption, columns, measures, rows, lettered)]
    if inputs.task(task).unseen:
        tables.insert(0, _unseen_table(inputs, track, task, dataset, protocol, f"{name}_unseen"))
    classes = inputs.task(task).classes[1:]
    for measure in CLASS_MEASURES if len(classes) > 1 else ():
        part = select(scores, measure=measure)
        by_class = {label: select(part, class_name=label) for label in [MACRO, *classes]}
        title = f"{where}: {measure_title(measure, unit)} by class"
        caption = _caption(inputs, protocol, part, f"{MEASURE_TITLES[measure]} by class, mean over cases")
        rows = _rows(inputs, track, task, dataset, protocol, by_class)
        columns = [plain(label) for label in by_class]
        tables.append(ResultTable(f"{name}_{measure}", title, caption, columns, [measure] * len(columns), rows, False))
    return tables + _pooled_tables(inputs, track, task, dataset, protocol, name)


def _unseen_table(inputs: Inputs, track: str, task: str, dataset: str, protocol: str, name: str) -> ResultTable:
    """Return the summary of a task with unseen classes, the measure that decides first."""
    pooled = select(inputs.tables["pooled"], track=track, task=task, dataset=dataset, protocol=protocol)
    iou = select(pooled, measure="iou")
    parts = {
        HARMONIC_IOU: select(iou, class_name=HARMONIC),
        UNSEEN_IOU: select(iou, class_name=UNSEEN),
        "iou_seen": select(iou, class_name=SEEN),
        ACCURACY: select(pooled, measure=ACCURACY),
    }
    named = {measure: part.assign(measure=measure) for measure, part in parts.items()}
    rows = _rows(inputs, track, task, dataset, protocol, named)
    what = (
        "IoU of all pixels together, mean over seen and over unseen classes, and the harmonic mean of the two; pixel"
        " accuracy: share of the pixels of all foreground classes"
    )
    caption = _caption(inputs, protocol, iou, what)
    lettered = any(row.letters for row in rows)
    if lettered:
        caption += _about_letters("harmonic IoU", "permutation test")
    columns = [MEASURE_TITLES[measure] for measure in parts]
    title = f"{inputs.test_set_title(task, dataset)}: seen and unseen classes"
    return ResultTable(name, title, caption, columns, list(parts), rows, lettered)


def _about_letters(measure: str, test: str) -> str:
    return (
        f" Methods of one condition that share a letter are not separable in {measure} ({test}, Holm-corrected, and"
        " interval of the difference); bold is separable from all others."
    )


def _pooled_tables(inputs: Inputs, track: str, task: str, dataset: str, protocol: str, name: str) -> list[ResultTable]:
    """Return one table a pooled measure, macro mean and classes, where the protocol asks for them."""
    pooled = select(inputs.tables["pooled"], track=track, task=task, dataset=dataset, protocol=protocol)
    tables = []
    for measure in dict.fromkeys(pooled["measure"]):
        part = select(pooled, measure=measure)
        by_class = {label: select(part, class_name=label) for label in dict.fromkeys(part["class_name"])}
        title = f"{inputs.test_set_title(task, dataset)}: pooled {MEASURE_TITLES[measure]}"
        what = f"{MEASURE_TITLES[measure]} of all pixels together, by class; macro: mean over foreground classes"
        if inputs.task(task).unseen:
            what += "; seen, unseen: means over those classes; harmonic: their harmonic mean"
        rows = _rows(inputs, track, task, dataset, protocol, by_class, comparable=False)
        caption = _caption(inputs, protocol, part, what)
        columns = [plain(label) for label in by_class]
        tables.append(
            ResultTable(f"{name}_pooled_{measure}", title, caption, columns, [measure] * len(columns), rows, False)
        )
    return tables


def _caption(inputs: Inputs, protocol: str, scores: pd.DataFrame, what: str) -> str:
    used = inputs.plan.protocols[protocol]
    text = f"{what}. Protocol {protocol} ({SELECTION_WORDS[used.selection]}; {INFERENCE_WORDS[used.inference]})."
    defined = scores[scores["n_cases"] > 0]
    if defined.empty:
        return text
    cases, seeds = list(defined["n_cases"]), list(defined["n_seeds"])
    kinds = [INTERVALS[kind] for kind in INTERVALS if kind in set(defined["ci_kind"])]
    text += (
        f" n = {range_text(cases)} cases of {range_text(list(defined['n_patients']))} patients,"
        f" seeds: {range_text(seeds)}. In brackets the 95 % interval: {'; or '.join(kinds)}."
    )
    counted = "n_missed" in scores and used.scoring == "strict"
    misses, spurious = (int(scores[f"n_{kind}"].max()) if counted else 0 for kind in ("missed", "spurious"))
    if misses or spurious:
        text += (
            " A class missed or predicted where there is none scores 0 and the image diagonal"
            f" (at most {misses} and {spurious} times a row)."
        )
    few = [f"{FEW_CASES} cases"] if max(cases) < FEW_CASES else []
    few += [f"{FEW_SEEDS} seeds"] if max(seeds) < FEW_SEEDS else []
    return text + (f" Fewer than {' and '.join(few)}: intervals are likely too narrow." if few else "")


def _rows(
    inputs: Inputs,
    track: str,
    task: str,
    dataset: str,
    protocol: str,
    columns: dict[str, pd.DataFrame],
    comparable: bool = True,
) -> list[Row]:
    """Return one row a condition and method; the best is marked where the comparisons speak of these scores."""
    ranks = select(
        inputs.tables["ranks"],
        track=track, task=task, dataset=dataset, protocol=protocol, measure=inputs.task(task).deciding, rank=1,
    )  # fmt: skip
    rows = []
    for condition in inputs.conditions(track):
        group: list[Row] = []
        for method in inputs.methods:
            runs = _runs(inputs, track, task, method, condition)
            if not runs:
                continue
            scores = [_score(select(part, method=method, condition=condition)) for part in columns.values()]
            letters = select(ranks, method=method, condition=condition)["letters"]
            group.append(
                Row(
                    method,
                    inputs.method_title(track, method),
                    condition,
                    [score for score in scores if score is not None],
                    str(letters.iloc[0]) if len(letters) else "",
                    runs,
                )
            )
        if comparable:
            group = _mark_best(inputs, track, task, dataset, protocol, condition, group, list(columns))
        rows += group
    return rows


def _score(rows: pd.DataFrame) -> Score | None:
    if rows.empty:
        return None
    row = rows.iloc[0]
    return Score(row["measure"], row["mean"], row["ci_low"], row["ci_high"])


def _runs(inputs: Inputs, track: str, task: str, method: str, condition: str) -> list[SeedRun]:
    folders = {cell.run: cell.folder for cell in inputs.plan.runs}
    rows = select(inputs.results.status, track=track, task=task, method=method, condition=condition)
    return [SeedRun(int(row.seed), row.status, row.reason, folders[row.run]) for row in rows.itertuples()]


def _mark_best(
    inputs: Inputs,
    track: str,
    task: str,
    dataset: str,
    protocol: str,
    condition: str,
    rows: list[Row],
    columns: list[str],
) -> list[Row]:
    """Mark the macro scores that are better than, and separable from, those of every other method."""
    scored = [row for row in rows if row.scores]
    tests = select(
        inputs.tables["comparisons"],
        kind="methods", track=track, task=task, dataset=dataset, protocol=protocol, held=condition, separable=True,
    )  # fmt: skip
    marked = {row.method: list(row.scores) for row in rows}
    for index, column in enumerate(columns):
        if len(scored) < 2 or column not in (*MEASURES, HARMONIC_IOU, UNSEEN_IOU, MACRO):
            continue
        measure = scored[0].scores[index].measure
        best = max(scored, key=lambda row: orientation(measure) * row.scores[index].mean)
        part = select(tests, measure=measure)
        apart = set(part.loc[part["a"] == best.method, "b"]) | set(part.loc[part["b"] == best.method, "a"])
        if apart >= {row.method for row in scored} - {best.method}:
            marked[best.method][index] = replace(best.scores[index], best=True)
    return [replace(row, scores=marked[row.method]) for row in rows]
