import numpy as np
import pytest

from mmseg_ext.data.phantoms.shapes import MARGIN, OUTSIDE, Grid, joined


@pytest.fixture
def grid():
    """A grid of 2 mm steps over 120 mm, slightly bent."""
    axis = np.arange(-60, 61, 2, dtype=np.float32)
    x, y, z = np.meshgrid(axis, axis, axis, indexing="ij")
    return Grid(x + 2 * np.sin(y / 20), y, z, 2.0)


def distance_to(grid, point):
    return np.sqrt((grid.x - point[0]) ** 2 + (grid.y - point[1]) ** 2 + (grid.z - point[2]) ** 2)


def test_distance_to_a_sphere_is_exact_near_it_and_outside_elsewhere(grid):
    centre = (10.0, -4.0, 6.0)
    exact = distance_to(grid, centre) - 20
    found = grid.ellipsoid(centre, (20, 20, 20), turn=0.7)
    assert np.abs(found - exact)[exact < MARGIN].max() < 1e-3
    assert (found[exact >= MARGIN] > MARGIN - 1e-3).all()


def test_turned_ellipsoid_covers_its_volume_and_points_where_it_should(grid):
    share = grid.cover(grid.ellipsoid((0, 0, 0), (30, 12, 18), turn=np.pi / 2))
    assert share.sum() * 8 == pytest.approx(4 / 3 * np.pi * 30 * 12 * 18, rel=0.02)
    assert np.abs(grid.y[share > 0.5]).max() == pytest.approx(30, abs=2)


def test_tube_is_the_distance_to_a_segment(grid):
    found = grid.tube([(-20, 0, 0), (20, 0, 0)], [8, 8])
    beside, beyond = np.abs(grid.x) < 20, grid.x > 22
    near = found < MARGIN
    assert np.abs(found - (np.hypot(grid.y, grid.z) - 8))[beside & near].max() < 1e-3
    assert np.abs(found - (distance_to(grid, (20, 0, 0)) - 8))[beyond & near].max() < 1e-3


def test_a_shape_beyond_the_grid_is_outside_everywhere(grid):
    assert (grid.ellipsoid((500, 0, 0), (20, 20, 20)) == OUTSIDE).all()


def test_cover_goes_from_0_to_1_over_one_width(grid):
    assert grid.cover(np.array([-9.0, -1.0, 0.0, 0.5, 1.0, 9.0])).tolist() == [1, 1, 0.5, 0.25, 0, 0]


def test_joined_holds_both_shapes_and_fills_the_gap_between():
    first, second = np.array([-5.0, 20.0, 1.0]), np.array([30.0, -5.0, 1.0])
    assert joined(first, second, 8).tolist() == [-5, -5, -1]
