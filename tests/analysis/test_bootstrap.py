from dataclasses import astuple

import numpy as np
import pandas as pd
import pytest

from mmseg_ext.analysis.bootstrap import draws, estimate, mean, replicates, tabulate


def long(values):
    """(patients, seeds) as rows."""
    return pd.DataFrame(
        {"case": f"c{p:03d}", "patient": f"p{p:03d}", "seed": s, "dsc": values[p, s]}
        for p in range(values.shape[0])
        for s in range(values.shape[1])
    )


def test_interval_covers_the_mean_as_often_as_it_says():
    rng = np.random.default_rng(0)
    shape = (9.0, 2.0)  # skewed to the left, as DSC is
    true = shape[0] / sum(shape)
    hits = 0
    for _ in range(1000):
        found = estimate(tabulate(long(rng.beta(*shape, (100, 1))), "dsc"), 500)
        hits += found.low <= true <= found.high
    assert 0.93 <= hits / 1000 <= 0.97


def test_interval_covers_the_luck_of_seeds():
    """With a common shift per seed, an interval over patients alone would be far too narrow."""
    rng = np.random.default_rng(1)
    values = 0.8 + rng.normal(0, 0.05, (1, 5)) + rng.normal(0, 0.01, (100, 5))
    with_seeds = estimate(tabulate(long(values), "dsc"), 1000)
    one_seed = estimate(tabulate(long(values[:, :1]), "dsc"), 1000)
    assert with_seeds.kind == "patients and seeds"
    assert one_seed.kind == "patients"
    assert with_seeds.high - with_seeds.low > 5 * (one_seed.high - one_seed.low)


def test_order_of_rows_does_not_matter():
    frame = long(np.random.default_rng(2).random((20, 3)))
    shuffled = frame.sample(frac=1, random_state=0)
    assert estimate(tabulate(frame, "dsc"), 300) == estimate(tabulate(shuffled, "dsc"), 300)


def test_a_patient_is_drawn_with_all_cases():
    frame = pd.DataFrame({"case": ["a1", "a2", "b"], "patient": ["a", "a", "b"], "seed": 0, "dsc": [0.2, 0.4, 0.9]})
    sample = tabulate(frame, "dsc")
    assert mean(sample) == pytest.approx(0.5)
    assert set(np.round(replicates(sample, 200), 6)) == {0.3, 0.5, 0.9}
    assert (sample.cases, sample.sizes.patients) == (3, 2)


def test_undefined_values_are_left_out():
    values = np.array([[0.5, np.nan], [0.7, 0.9], [np.nan, np.nan]])
    sample = tabulate(long(values), "dsc")
    assert astuple(sample.sizes) == (2, 2, 2)
    assert mean(sample) == pytest.approx((0.5 + 0.7 + 0.9) / 3)
    assert np.isfinite(estimate(sample, 300).low)


def test_nothing_defined_and_one_patient_have_no_interval():
    nothing = estimate(tabulate(long(np.full((3, 2), np.nan)), "dsc"), 200)
    assert nothing.kind == "none"
    assert np.isnan(nothing.mean)
    one = estimate(tabulate(long(np.array([[0.4, 0.6]])), "dsc"), 200)
    assert (one.mean, one.kind) == (0.5, "none")
    assert np.isnan(one.low)


def test_draws_keep_the_number_of_patients_and_seeds():
    patients, seeds = draws(7, 3, 250)
    assert (patients.sum(axis=1) == 7).all()
    assert (seeds.sum(axis=1) == 3).all()
