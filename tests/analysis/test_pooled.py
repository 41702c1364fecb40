import numpy as np
import pandas as pd
import pytest
from support.fake_results import case_row

from mmseg_ext.analysis.measures import select
from mmseg_ext.analysis.pooled import pooled_table
from mmseg_ext.suite.matrix import RunId


def row(case, class_id, intersection, prediction, truth, seed=0, **values):
    run = RunId("supervised", "livers", "unet", "full", seed)
    counts = {"intersection": intersection, "prediction": prediction, "truth": truth}
    return case_row(run, case, f"p_{case}", class_id, **counts, **values)


def value(table, class_name, measure):
    found = select(table, class_name=class_name, measure=measure)
    assert len(found) == 1
    return found.iloc[0]


@pytest.fixture
def cases():
    """A large and a small case; class 3 is nowhere, and class 2 is only invented in the small one."""
    return pd.DataFrame(
        [
            row("large", 1, 800, 1000, 1000),
            row("small", 1, 0, 10, 10),
            row("large", 2, 50, 100, 100),
            row("small", 2, 0, 100, 0, status="spurious", dsc=0.0),
            row("large", 3, 0, 0, 0, status="both_empty", dsc=np.nan),
            row("small", 3, 0, 0, 0, status="both_empty", dsc=np.nan),
        ]
    )


def test_counts_are_summed_before_the_quotient(cases):
    table = pooled_table(cases, ["strict"], 400)
    assert value(table, "class_1", "dsc")["mean"] == pytest.approx(1600 / 2020)
    assert value(table, "class_2", "dsc")["mean"] == pytest.approx(100 / 300)
    assert value(table, "class_2", "iou")["mean"] == pytest.approx(50 / 250)
    assert np.isnan(value(table, "class_3", "dsc")["mean"])
    macro = value(table, "macro", "dsc")
    assert macro["mean"] == pytest.approx((1600 / 2020 + 1 / 3) / 2)
    assert (macro["class_id"], macro["n_cases"], macro["n_patients"], macro["n_seeds"]) == (0, 2, 2, 1)


def test_intervals_are_over_patients(cases):
    row = value(pooled_table(cases, ["strict"], 400), "class_1", "dsc")
    # A resample holds one of the two patients twice, or each once.
    assert (row["ci_low"], row["ci_high"], row["ci_kind"]) == (0.0, 0.8, "patients")
    alone = pooled_table(cases[cases["case"] == "large"], ["strict"], 400)
    assert value(alone, "class_1", "dsc")["ci_kind"] == "none"
    assert np.isnan(value(alone, "class_1", "dsc")["ci_low"])


def test_seeds_are_pooled_one_by_one():
    frame = pd.DataFrame(
        [row("a", 1, 10, 10, 10), row("b", 1, 90, 90, 90), row("a", 1, 0, 10, 10, 1), row("b", 1, 0, 390, 90, 1)]
    )
    found = value(pooled_table(frame, ["strict"], 400), "class_1", "dsc")
    assert found["mean"] == pytest.approx((1 + 0) / 2)
    assert (found["ci_kind"], found["ci_low"], found["ci_high"]) == ("patients and seeds", 0.0, 1.0)


def test_only_protocols_that_ask_for_it(cases):
    assert pooled_table(cases, [], 400).empty
    both = pd.concat([cases, cases.assign(protocol="other")])
    assert set(pooled_table(both, ["other"], 400)["protocol"]) == {"other"}


def test_seen_and_unseen_classes_have_means_and_a_harmonic_mean_of_their_own(cases):
    table = pooled_table(cases, [], 400, {"livers": ["class_2"]})
    one, two = 800 / (1010 + 1010 - 800), 50 / 250
    assert value(table, "seen", "iou")["mean"] == pytest.approx(one)
    assert value(table, "unseen", "iou")["mean"] == pytest.approx(two)
    assert value(table, "harmonic", "iou")["mean"] == pytest.approx(2 * one * two / (one + two))
    assert value(table, "macro", "iou")["mean"] == pytest.approx((one + two) / 2)
    assert value(table, "macro", "pixel_accuracy")["mean"] == pytest.approx(850 / 1110)
    row = value(table, "unseen", "iou")
    assert row["ci_low"] <= row["mean"] <= row["ci_high"]


def test_nothing_found_is_a_harmonic_mean_of_0(cases):
    none = cases.assign(intersection=0)
    assert value(pooled_table(none, [], 400, {"livers": ["class_2"]}), "harmonic", "iou")["mean"] == 0


def test_tasks_without_unseen_classes_have_no_such_rows(cases):
    assert pooled_table(cases, [], 400, {"livers": []}).empty
    assert "unseen" not in set(pooled_table(cases, ["strict"], 400)["class_name"])
