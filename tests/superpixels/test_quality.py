import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmseg_ext.superpixels.quality import borders, map_quality, tolerance


def halves(width=8):
    """Labels of two halves, each `width` columns wide."""
    labels = np.zeros((6, 2 * width), np.uint8)
    labels[:, width:] = 1
    return labels


def test_a_map_along_the_border_is_perfect():
    found = map_quality(halves().astype(np.int32) + 1, halves())
    assert found.segments == 2
    assert (found.boundary_recall, found.undersegmentation_error, found.achievable_accuracy) == (1.0, 0.0, 1.0)


@pytest.mark.parametrize(("off", "recall"), [(1, 1.0), (2, 1.0), (3, 0.5), (4, 0.0)])
def test_a_border_is_recalled_up_to_two_pixels(off, recall):
    # The truth's border is the columns 7 and 8, the map's the columns 7 + off and 8 + off.
    ids = np.ones((6, 16), np.int32)
    ids[:, 8 + off :] = 2
    assert map_quality(ids, halves()).boundary_recall == recall


@pytest.mark.parametrize(("size", "expected"), [((35, 51), 2), ((512, 512), 2), ((1000, 1000), 4), ((2000, 3000), 9)])
def test_the_tolerance_grows_with_large_images(size, expected):
    assert tolerance(*size) == expected


def test_known_errors():
    # One superpixel of 6 x 10 pixels leaks 2 columns, that is 12 pixels, over the border; the other one is pure.
    ids = np.ones((6, 16), np.int32)
    ids[:, 10:] = 2
    found = map_quality(ids, halves())
    # The leaking part counts for both classes: min(48, 12) + min(12, 48).
    assert found.undersegmentation_error == pytest.approx(24 / 96)
    assert found.achievable_accuracy == pytest.approx(84 / 96)


def test_ignored_pixels_count_nowhere():
    labels = halves()
    labels[:, 8:10] = 255
    ids = np.ones((6, 16), np.int32)
    ids[:, 10:] = 2
    found = map_quality(ids, labels)
    assert (found.undersegmentation_error, found.achievable_accuracy) == (0.0, 1.0)
    # The classes meet only across ignored pixels.
    assert found.boundary_recall is None


def test_without_two_classes_there_is_nothing_to_measure():
    ids = halves().astype(np.int32) + 1
    for labels in (np.zeros((6, 16), np.uint8), np.full((6, 16), 255, np.uint8)):
        found = map_quality(ids, labels)
        assert found.segments == 2
        assert found.boundary_recall is None
        assert found.undersegmentation_error is None
        assert found.achievable_accuracy is None


def test_borders_are_the_pixels_on_both_sides():
    labels = np.array([[0, 0, 1], [0, 0, 0]])
    expected = np.array([[0, 1, 1], [0, 0, 1]], bool)
    assert np.array_equal(borders(labels, np.ones_like(expected)), expected)
    # A step between diagonal neighbours alone is no border.
    assert not borders(np.array([[0, 5], [5, 0]]), np.array([[1, 0], [0, 1]], bool)).any()


@given(st.integers(0, 2**32 - 1))
def test_figures_do_not_depend_on_names_and_do_not_worsen_when_parts_are_split(seed):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 3, (8, 9)).astype(np.uint8)
    ids = rng.integers(1, 6, (8, 9)).astype(np.int32)
    found = map_quality(ids, labels)
    assert map_quality((rng.permutation(6) + 1)[ids], labels[...]) == found
    finer = ids * 2 + rng.integers(0, 2, ids.shape)
    split = map_quality(finer, labels)
    assert split.achievable_accuracy >= found.achievable_accuracy
    assert split.undersegmentation_error <= found.undersegmentation_error + 1e-12
