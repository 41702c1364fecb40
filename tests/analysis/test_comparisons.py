import numpy as np
import pytest
from support.case_frames import frame_of

from mmseg_ext.analysis.comparisons import (
    ALPHA,
    comparison_table,
    holm,
    paired_difference,
    permutations_for,
    sign_flip,
)
from mmseg_ext.analysis.measures import macro_cases, select


def test_holm_known_values():
    np.testing.assert_allclose(holm(np.array([0.01, 0.04, 0.03, 0.005])), [0.03, 0.06, 0.06, 0.02])
    np.testing.assert_allclose(holm(np.array([0.9, 0.8])), [1.0, 1.0])


def test_holm_does_not_count_undefined_tests():
    np.testing.assert_allclose(holm(np.array([np.nan, 0.02, 0.03])), [np.nan, 0.04, 0.04])
    assert len(holm(np.array([]))) == 0


def test_sign_flip_is_exact_for_few_patients():
    """All of six differences on one side: 2 of 64 sign patterns are as extreme."""
    assert sign_flip(np.array([0.1, 0.2, 0.3, 0.1, 0.2, 0.3])) == pytest.approx(2 / 64)
    assert sign_flip(np.zeros(8)) == 1
    assert np.isnan(sign_flip(np.array([0.3])))


def test_type_one_error_is_kept():
    rng = np.random.default_rng(3)
    rejected = np.mean([sign_flip(rng.standard_t(4, 25), permutations=499) < 0.05 for _ in range(1500)])
    assert 0.03 <= rejected <= 0.06


@pytest.mark.parametrize("comparisons", [1, 50, 342, 2000])
def test_a_clear_difference_is_separable_in_a_family_of_any_size(comparisons):
    """Twenty methods make 380 comparisons: times 380, the smallest p-value of 9999 patterns is above 0.05."""
    clear = np.random.default_rng(7).normal(1.0, 0.1, 60)
    assert sign_flip(clear, permutations_for(comparisons)) * comparisons < ALPHA / 4


def test_difference_is_paired():
    """Cases differ far more than methods; only pairing sees the lead."""
    rng = np.random.default_rng(4)
    base = rng.uniform(0.3, 0.9, (30, 3))
    a = macro_cases(frame_of({"a": base + 0.02}))
    b = macro_cases(frame_of({"b": base}))
    found = paired_difference(a, b, "dsc", 500)
    assert found.estimate.mean == pytest.approx(0.02)
    assert found.estimate.low == pytest.approx(0.02)
    assert found.superiority == 1
    assert found.p < 0.001


def test_only_common_seeds_are_compared():
    values = np.random.default_rng(5).random((12, 3))
    a = macro_cases(frame_of({"a": values}))
    b = macro_cases(frame_of({"b": values[:, :2]}))
    assert paired_difference(a, b, "dsc", 200).sizes.seeds == 2
    none = paired_difference(select(a, seed=2), b, "dsc", 200)
    assert none.sizes.cases == 0
    assert np.isnan(none.p)


def test_smaller_distance_is_better():
    frame = frame_of({"a": np.full((5, 1), 0.8), "b": np.full((5, 1), 0.8)})
    frame.loc[frame["method"] == "a", "hd95"] = 1.0
    macro = macro_cases(frame)
    assert paired_difference(select(macro, method="a"), select(macro, method="b"), "hd95", 200).superiority == 1


def test_families_of_methods_and_of_conditions():
    rng = np.random.default_rng(6)
    import pandas as pd

    scores = {name: rng.random((10, 2)) for name in ("a", "b", "c")}
    both = pd.concat([frame_of(scores), frame_of({key: value - 0.3 for key, value in scores.items()}, "labels_25")])
    table = comparison_table(both, 200)
    methods, conditions = select(table, kind="methods"), select(table, kind="conditions")
    assert len(methods) == 2 * 3 * 2  # conditions, pairs, measures
    assert len(conditions) == 3 * 2  # methods, measures
    assert conditions["separable"].all()
    assert (table["p_holm"] >= table["p"]).all()


def test_one_seed_separates_nothing():
    rng = np.random.default_rng(8)
    base = rng.uniform(0.5, 0.8, (40, 1))
    table = comparison_table(frame_of({"a": base + 0.1, "b": base}), 200)
    row = select(table, measure="dsc").iloc[0]
    assert row["ci_low"] > 0
    assert row["p_holm"] < 0.01
    assert not row["separable"]


def test_luck_of_seeds_is_not_separable():
    """The test on trained networks may be sure while another seed could turn the order."""
    rng = np.random.default_rng(7)
    shift = np.array([[0.12, -0.02, 0.03]])
    base = rng.uniform(0.5, 0.8, (40, 3))
    table = comparison_table(frame_of({"a": base + shift, "b": base}), 500)
    row = select(table, measure="dsc").iloc[0]
    assert row["p_holm"] < 0.01
    assert row["ci_low"] < 0
    assert not row["separable"]
