import numpy as np

from mmseg_ext.data.checks.outliers import outliers


def test_one_that_stands_apart():
    values = np.array([10, 11, 9, 10, 12, 10, 11, 9, 40.0])
    assert np.flatnonzero(outliers(values)).tolist() == [8]


def test_large_and_small_count_alike():
    values = np.array([10, 11, 9, 10, 12, 10, 11, 9, 10])
    assert outliers(np.append(values, 40.0))[-1]
    assert outliers(np.append(values, 2.5))[-1]


def test_where_most_are_equal_the_mean_deviation_is_used():
    assert np.flatnonzero(outliers(np.array([1.0] * 20 + [3.0]))).tolist() == [20]


def test_differences_too_small_to_matter_are_none():
    assert not outliers(np.array([1.0] * 20 + [1.1])).any()


def test_equal_few_and_unknown_values_are_none():
    assert not outliers(np.ones(20)).any()
    assert not outliers(np.array([1.0, 1, 1, 100])).any()
    assert not outliers(np.full(20, np.nan)).any()
    assert outliers(np.array([*[1.0] * 20, np.nan, 5])).tolist() == [False] * 21 + [True]
