"""Nearest distances: both ways of finding them against all pairs of points."""

import numpy as np
import pytest

from mmseg_ext.evaluation import nearest
from mmseg_ext.evaluation.nearest import by_map, by_search, nearest_distances


def all_pairs(here, other, spacing):
    return np.linalg.norm((np.argwhere(here)[:, None] - np.argwhere(other)[None]) * spacing, axis=2).min(axis=1)


@pytest.mark.parametrize("density", [0.002, 0.02, 0.3])
@pytest.mark.parametrize(("shape", "spacing"), [((12, 15, 9), (2.5, 0.7, 1.3)), ((31, 22), (0.4, 1.1))])
def test_both_ways_agree_with_all_pairs(density, shape, spacing):
    here, other = np.random.default_rng(3).random((2, *shape)) < density
    here[2, 3] = other[-1, 1] = True
    expected = all_pairs(here, other, spacing)
    assert by_search(here, other, spacing, np.inf) == pytest.approx(expected, rel=1e-12)
    assert by_map(here, other, spacing) == pytest.approx(expected, rel=nearest.RELATIVE_PRECISION)
    assert nearest_distances(here, other, spacing) == pytest.approx(expected, rel=nearest.RELATIVE_PRECISION)


def test_distances_beyond_the_reach_are_infinite_in_a_search():
    here = np.zeros((3, 30), bool)
    other = here.copy()
    here[1, [0, 5, 20]] = other[1, 5] = True
    assert by_search(here, other, (1.0, 1.0), 6.0).tolist() == [5, 0, np.inf]


def test_thin_surfaces_are_searched_and_dense_ones_mapped(monkeypatch):
    taken = []
    for way in ("by_search", "by_map"):
        monkeypatch.setattr(nearest, way, lambda *_, way=way: taken.append(way))
    dense = np.random.default_rng(0).random((40, 40, 40)) < 0.5
    thin = np.zeros_like(dense)
    thin[20] = True
    for mask in (thin, dense):
        nearest_distances(mask, np.roll(mask, 1, axis=0), (1.0, 1.0, 1.0))
    assert taken == ["by_search", "by_map"]
