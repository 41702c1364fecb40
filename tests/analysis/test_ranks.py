import numpy as np
from support.case_frames import frame_of

from mmseg_ext.analysis.comparisons import comparison_table
from mmseg_ext.analysis.measures import select
from mmseg_ext.analysis.ranks import group_letters, rank_frequencies, rank_table


def ranked(scores):
    cases = frame_of(scores)
    return rank_table(cases, comparison_table(cases, 300), 300)


def test_frequencies_sum_to_one_and_the_best_leads():
    rng = np.random.default_rng(0)
    base = rng.uniform(0.4, 0.8, (30, 2))
    noise = {name: rng.normal(0, 0.02, base.shape) for name in "abc"}
    table = select(ranked({"a": base, "b": base + noise["b"] + 0.001, "c": base + noise["c"] + 0.2}), measure="dsc")
    sums = table.groupby("method")["frequency"].sum()
    np.testing.assert_allclose(sums, 1)
    assert select(table, method="c", rank=1)["frequency"].item() == 1
    letters = table.groupby("method")["letters"].first()
    assert letters["a"] == letters["b"] != letters["c"] == "a"


def test_equal_methods_share_the_better_rank():
    same = np.random.default_rng(1).random((8, 1))
    table = select(ranked({"a": same, "b": same}), measure="dsc", rank=1)
    assert (table["frequency"] == 1).all()


def test_smaller_distances_rank_first():
    means = np.array([[1.0, 1.0], [2.0, 2.0]])
    np.testing.assert_array_equal(rank_frequencies(means, "hd95"), [[1, 0], [0, 1]])


def test_letters_say_which_pairs_are_separable():
    assert group_letters(["a", "b", "c"], {frozenset("ac")}) == {"a": "a", "b": "ab", "c": "b"}
    assert group_letters(["a", "b", "c"], set()) == {"a": "a", "b": "a", "c": "a"}
    assert group_letters(["a", "b"], {frozenset("ab")}) == {"a": "a", "b": "b"}
    # Not neighbours in the order, yet not separable.
    letters = group_letters(["a", "b", "c"], {frozenset("ab"), frozenset("bc")})
    assert set(letters["a"]) & set(letters["c"])
    assert not set(letters["a"]) & set(letters["b"])


def test_a_method_without_common_seed_prevents_a_ranking():
    values = np.random.default_rng(2).random((6, 2))
    frame = frame_of({"a": values, "b": values})
    frame = frame[(frame["method"] == "a") == (frame["seed"] == 0)]
    assert rank_table(frame, comparison_table(frame, 200), 200).empty
