import math

import numpy as np
import pytest

from mmseg_ext.evaluation.scoring import SCORING

CLASSES = ["background", "organ"]


def measure(truth, prediction):
    scoring = SCORING["supercl"]
    assert scoring.in_pixels
    (found,) = scoring.measure(np.uint8(truth), np.uint8(prediction), CLASSES, (1, 1, 1), 2.0)
    return scoring.score(found, 100.0)


def test_distances_are_means_over_slices_and_0_where_a_mask_is_empty():
    truth = np.zeros((4, 12, 12))
    prediction = truth.copy()
    truth[0, 5, 2] = prediction[0, 5, 6] = 1  # four pixels apart
    truth[1, 3:5, 3:5] = prediction[1, 3:5, 3:5] = 1  # equal
    truth[2, 1, 1] = 1  # missed
    found = measure(truth, prediction)
    assert found.hd95 == found.assd == pytest.approx(4 / 4)
    assert found.dsc == pytest.approx(2 * 4 / (6 + 5))
    assert (found.intersection, found.prediction, found.truth) == (4, 5, 6)
    assert found.status == "ok"


def test_a_class_that_is_nowhere_has_no_overlap_and_no_distance():
    empty = np.zeros((2, 4, 4))
    found = measure(empty, empty)
    assert math.isnan(found.dsc)
    assert found.hd95 == 0
    assert found.status == "both_empty"
    full = empty.copy()
    full[0, 1, 1] = 1
    assert measure(full, empty).status == "missed"
    assert measure(empty, full).status == "spurious"
    assert measure(empty, full).dsc == 0


def test_pooled_overlap_is_not_the_mean_over_slices():
    truth = np.zeros((2, 10, 10))
    prediction = truth.copy()
    truth[0], prediction[0] = 1, 1
    truth[1, 0, 0] = prediction[1, 5, 5] = 1
    assert measure(truth, prediction).dsc == pytest.approx(2 * 100 / 202)
