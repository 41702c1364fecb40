import numpy as np
import pytest

from mmseg_ext.data.intensity import limits, to_unit
from mmseg_ext.suite.dataset_card import Percentiles, Window

HALF = Percentiles(mode="percentiles", low=0.5, high=99.5)


def test_window_does_not_depend_on_the_values():
    window = Window(mode="window", low=-160, high=240)
    assert limits(np.array([5.0, 9999.0]), window) == (-160, 240)


def test_percentiles_leave_out_the_extremes():
    low, high = limits(np.arange(1001), Percentiles(mode="percentiles", low=10, high=90))
    assert (low, high) == (100, 900)


def test_extremes_replace_coinciding_percentiles():
    values = np.zeros(10_000)
    values[0] = 7
    assert limits(values, HALF) == (0, 7)


def test_constant_case_becomes_zero():
    low, high = limits(np.full(9, 3.0), HALF)
    assert low < high
    assert (to_unit(np.full(9, 3), 1, 0, low, high) == 0).all()


def test_to_unit_scales_and_clips():
    unit = to_unit(np.array([0, 10, 20, 65535], np.uint16), slope=2, intercept=-20, low=-20, high=20)
    assert unit.dtype == np.float32
    assert unit == pytest.approx([0, 0.5, 1, 1])


def test_to_unit_does_not_depend_on_how_values_are_stored():
    physical = np.array([-100.0, 0.0, 50.0])
    direct = to_unit(physical, 1, 0, -100, 200)
    stored = to_unit(((physical + 1024) / 0.5).astype(np.uint16), 0.5, -1024, -100, 200)
    assert stored == pytest.approx(direct, abs=1e-5)
