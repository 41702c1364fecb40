"""Do the control pseudo-methods bound every measure?

The oracle (the truth itself) must be perfect, the empty prediction must be the worst there is, the dilated truth and
every run must lie between them. A violation means that the evaluation is broken, so nothing is reported. Protocols that
repeat a paper's evaluator are not held to it: its rules for empty masks may keep no bound.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from mmseg_ext.analysis.collect import read_cases
from mmseg_ext.analysis.measures import MEASURES, orientation
from mmseg_ext.analysis.plan_file import PlanFile
from mmseg_ext.suite.errors import InputError

CONTROLS = ("oracle", "dilated", "empty")
CONTROL_COLUMNS = ["task", "protocol", "dataset", "measure", *CONTROLS, "n_cases", "verdict", "reason"]
TOLERANCE = 1e-9
_CASE = ["protocol", "dataset", "case", "class_id"]


def control_table(plan: PlanFile, cases: pd.DataFrame) -> pd.DataFrame:
    """Check the controls of every task, and the runs against them.

    Args:
        plan: The plan.
        cases: Cases of all runs, CASE_COLUMNS.

    Returns:
        One row per task, protocol, data set and measure: the mean of each control over the case and class pairs in
        which the truth is not empty, and the verdict `bounded`; one row `not run` for a task without controls.

    Raises:
        InputError: If a control or a run breaks a bound.
    """
    rows: list[dict[str, Any]] = []
    for task, folder in sorted(plan.controls.items()):
        path = folder / "cases.csv"
        if not path.is_file():
            rows.append({"task": task, "verdict": "not run", "reason": f"{path} does not exist"})
            continue
        controls = read_cases(path)
        controls = controls[controls["protocol"].isin(plan.own_protocols)]
        held = cases[(cases["task"] == task) & cases["protocol"].isin(plan.own_protocols)]
        check_bounds(controls, held, str(path))
        present = controls[controls["truth"] > 0]
        for (protocol, dataset), part in present.groupby(["protocol", "dataset"], sort=True):
            means = part.groupby("method")[list(MEASURES)].mean()
            for measure in MEASURES:
                values = {name: means[measure][name] for name in CONTROLS}
                rows.append(
                    {
                        "task": task,
                        "protocol": protocol,
                        "dataset": dataset,
                        "measure": measure,
                        **values,
                        "n_cases": part["case"].nunique(),
                        "verdict": "bounded",
                        "reason": "",
                    }
                )
    return pd.DataFrame(rows, columns=CONTROL_COLUMNS)


def check_bounds(controls: pd.DataFrame, cases: pd.DataFrame, file: str) -> None:
    """Check that oracle and empty bound the dilated truth and every run, case by case and class by class.

    Args:
        controls: CASE_COLUMNS, methods oracle, dilated and empty.
        cases: CASE_COLUMNS of runs on the same task.
        file: Where the controls come from, for the error message.

    Raises:
        InputError: If a control is missing or a bound is broken.
    """
    if set(controls["method"]) != set(CONTROLS):
        raise InputError(file, "method", sorted(set(controls["method"])), f"the controls {sorted(CONTROLS)}")
    by_name = {name: controls[controls["method"] == name].set_index(_CASE) for name in CONTROLS}
    oracle, empty = by_name["oracle"], by_name["empty"]
    perfect = {measure: 1.0 if orientation(measure) == 1 else 0.0 for measure in MEASURES}
    _require(
        oracle,
        (oracle[list(MEASURES)] - pd.Series(perfect)).abs() > TOLERANCE,
        "the oracle to be perfect",
        file,
    )
    worst = {"dsc": 0.0, "iou": 0.0, "nsd": 0.0}
    _require(empty, empty[list(worst)].abs() > TOLERANCE, "the empty prediction to score 0", file)
    runs = cases.set_index(_CASE)
    for bounded in (by_name["dilated"], runs):
        for bound, sign, words in (
            (oracle, 1, "no better than the oracle"),
            (empty, -1, "no worse than empty"),
        ):
            # A class the truth does not hold has no bound: both are undefined there.
            limit = bound.reindex(bounded.index)[list(MEASURES)]
            ways = pd.Series({measure: sign * orientation(measure) for measure in MEASURES})
            beyond = (bounded[list(MEASURES)] - limit) * ways > TOLERANCE
            _require(bounded, beyond, words, file)


def _require(rows: pd.DataFrame, broken: pd.DataFrame, expected: str, file: str) -> None:
    bad = broken.any(axis=1)
    if bad.any():
        where = int(bad.to_numpy().argmax())
        measure = next(name for name in broken.columns if broken.iloc[where][name])
        row = rows.iloc[where]
        case = "/".join(str(part) for part in rows.index[where])
        raise InputError(
            file,
            f"{measure} of {row['track']}/{row['method']} on {case}",
            float(row[measure]),
            expected,
            "The evaluation is broken or its inputs do not belong together; nothing is reported.",
        )
