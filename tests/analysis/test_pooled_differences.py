"""Comparisons by pooled IoU over unseen classes: values by hand, exact p-values, what is invented elsewhere."""

import numpy as np
import pandas as pd
import pytest
from support.fake_results import case_row

from mmseg_ext.analysis.comparisons import comparison_table
from mmseg_ext.analysis.measures import HARMONIC_IOU, UNSEEN_IOU, select
from mmseg_ext.analysis.pooled import pooled_table
from mmseg_ext.analysis.pooled_differences import common, pooled_differences
from mmseg_ext.analysis.ranks import rank_table
from mmseg_ext.suite.matrix import RunId

UNSEEN = ["class_2"]


def frame(method, hits, seeds=(0, 1), invented=0):
    """Images with 100 pixels of a seen class, of which 80 are found, and 50 of an unseen one, of which `hits` are.

    Args:
        hits: (images,) or (images, seeds).
        invented: Pixels that are wrongly called the unseen class in each image.
    """
    rows = []
    for seed in seeds:
        for image, row in enumerate(np.asarray(hits)):
            found = int(np.atleast_1d(row)[seed % np.atleast_1d(row).size])
            run = RunId("zero_shot", "scenes", method, "mini", seed)
            counts = [(80, 80, 100), (found, found + invented, 50)]
            for class_id, (both, predicted, true) in enumerate(counts, 1):
                values = {"intersection": both, "prediction": predicted, "truth": true}
                rows.append(case_row(run, f"c{image:02d}", f"p{image:02d}", class_id, **values))
    return pd.DataFrame(rows)


def test_differences_are_those_of_the_pooled_table():
    a, b = frame("a", [30, 10, 50, 20]), frame("b", [10, 20, 0, 40], invented=5)
    found = pooled_differences(a, b, UNSEEN, 400, 100)
    table = pooled_table(pd.concat([a, b]), ["strict"], 400, {"scenes": UNSEEN})
    for measure, name in ((UNSEEN_IOU, "unseen"), (HARMONIC_IOU, "harmonic")):
        means = select(table, class_name=name, measure="iou").set_index("method")["mean"]
        assert found[measure].estimate.mean == pytest.approx(means["a"] - means["b"])
    assert found[UNSEEN_IOU].estimate.mean == pytest.approx(110 / 200 - 70 / 220)
    assert found[UNSEEN_IOU].estimate.low <= found[UNSEEN_IOU].estimate.mean <= found[UNSEEN_IOU].estimate.high


def test_few_patients_are_exchanged_in_every_way():
    """Better on each of five patients: only the pairs as found and all exchanged are as extreme, 2 of 32."""
    a, b = frame("a", [30, 31, 32, 33, 34]), frame("b", [10, 11, 12, 13, 14])
    found = pooled_differences(a, b, UNSEEN, 200, 9999)
    assert found[UNSEEN_IOU].p == pytest.approx(2 / 32)
    assert found[HARMONIC_IOU].p == pytest.approx(2 / 32)
    same = pooled_differences(a, a, UNSEEN, 200, 9999)
    assert same[UNSEEN_IOU].p == 1


def test_a_swap_of_the_methods_turns_the_sign_and_keeps_p():
    rng = np.random.default_rng(0)
    a, b = (frame(name, rng.integers(0, 50, (30, 2))) for name in "ab")
    one, other = (pooled_differences(*pair, UNSEEN, 300, 999)[UNSEEN_IOU] for pair in ((a, b), (b, a)))
    assert one.estimate.mean == pytest.approx(-other.estimate.mean)
    assert (one.estimate.low, one.estimate.high) == pytest.approx((-other.estimate.high, -other.estimate.low))
    assert one.p == other.p


def test_p_is_uniform_where_nothing_differs():
    rng = np.random.default_rng(1)
    p = [
        pooled_differences(*(frame(name, rng.integers(0, 50, 20), seeds=(0,)) for name in "ab"), UNSEEN, 50, 199)[
            UNSEEN_IOU
        ].p
        for _ in range(80)
    ]
    assert np.mean(np.array(p) < 0.1) < 0.2
    assert 0.35 < np.mean(p) < 0.65


def test_what_is_invented_counts_though_the_image_has_none_of_it():
    """No mean over images could tell these two apart where the class is: both find half of it."""
    careful, eager = frame("a", [25] * 12), frame("b", [25] * 12)
    for part, invented in ((careful, 0), (eager, 40)):
        empty = (part["class_id"] == 2) & (part["case"] >= "c06")
        part.loc[empty, ["intersection", "prediction", "truth"]] = [0, invented, 0]
    found = pooled_differences(careful, eager, UNSEEN, 200, 999)[UNSEEN_IOU]
    assert found.estimate.mean == pytest.approx(0.5 - 150 / (300 + 240))
    assert found.p < 0.05


def test_only_common_cases_and_seeds_are_compared():
    a, b = frame("a", [30, 10, 50]), frame("b", [10, 20], seeds=(1, 2))
    parts = common(a, b)
    assert all(set(part["seed"]) == {1} and set(part["case"]) == {"c00", "c01"} for part in parts)
    found = pooled_differences(a, b, UNSEEN, 200, 99)[UNSEEN_IOU]
    assert (found.sizes.cases, found.sizes.seeds) == (2, 1)
    apart = pooled_differences(select(a, seed=0), b, UNSEEN, 200, 99)[UNSEEN_IOU]
    assert apart.sizes.cases == 0
    assert np.isnan(apart.p)


def test_methods_are_compared_and_ranked_by_unseen_classes_where_there_are_some():
    rng = np.random.default_rng(2)
    a, b = frame("a", rng.integers(5, 15, 20)), frame("b", rng.integers(25, 35, 20))
    cases = pd.concat([a, b], ignore_index=True)
    comparisons = comparison_table(cases, 300, {"scenes": UNSEEN})
    assert list(comparisons["measure"]) == ["dsc", "nsd", UNSEEN_IOU, HARMONIC_IOU]
    row = select(comparisons, measure=HARMONIC_IOU).iloc[0]
    assert row["separable"]
    assert row["difference"] < 0
    assert np.isnan(row["superiority"])
    first = select(rank_table(cases, comparisons, 300, {"scenes": UNSEEN}), rank=1, measure=HARMONIC_IOU)
    assert dict(zip(first["method"], first["frequency"], strict=True)) == {"a": 0, "b": 1}
    assert dict(zip(first["method"], first["letters"], strict=True)) == {"a": "b", "b": "a"}
    assert set(comparison_table(cases, 300, {"scenes": []})["measure"]) == {"dsc", "nsd"}
