"""Measures of a case, and the empty-mask policy."""

from dataclasses import asdict
from math import isnan

import numpy as np
import pytest

from mmseg_ext.evaluation.measures import case_measures
from mmseg_ext.evaluation.strict import score_strict
from mmseg_ext.evaluation.surface import surface_measures

CLASSES = ["background", "liver", "tumour", "vessel", "spleen"]
SPACING = (3.0, 1.5, 1.0)
SURFACE = ("hd95", "hd95_max", "assd", "nsd")


@pytest.fixture
def pair():
    """Liver in both, tumour missed, vessel spurious, spleen nowhere."""
    truth, prediction = np.zeros((2, 5, 20, 18), np.uint8)
    truth[1:4, 4:12, 3:11] = 1
    prediction[1:4, 4:12, 5:11] = 1
    truth[2, 14:16, 14:16] = 2
    prediction[4, 0, 0:3] = 3
    return truth, prediction


def test_one_record_a_class_with_counts_and_status(pair):
    found = case_measures(*pair, CLASSES, SPACING, 1.0)
    assert [(record.class_id, record.class_name) for record in found] == [*enumerate(CLASSES)][1:]
    assert [record.status for record in found] == ["ok", "missed", "spurious", "both_empty"]
    counts = [(record.intersection, record.prediction, record.truth) for record in found]
    assert counts == [(144, 144, 192), (0, 0, 4), (0, 3, 0), (0, 0, 0)]


def test_overlaps_follow_from_the_counts(pair):
    liver = case_measures(*pair, CLASSES, SPACING, 1.0)[0]
    assert liver.dsc == pytest.approx(2 * 144 / 336)
    assert liver.iou == pytest.approx(144 / 192)


def test_surface_of_a_class_is_that_of_its_whole_mask(pair):
    truth, prediction = pair
    liver = case_measures(truth, prediction, CLASSES, SPACING, 1.0)[0]
    whole = surface_measures(truth == 1, prediction == 1, SPACING, 1.0)
    assert {name: getattr(liver, name) for name in SURFACE} == vars(whole)


def test_measures_without_policy_are_undefined_where_a_mask_is_empty(pair):
    _, missed, spurious, absent = case_measures(*pair, CLASSES, SPACING, 1.0)
    for record in (missed, spurious, absent):
        assert all(isnan(getattr(record, name)) for name in SURFACE)
    assert missed.dsc == missed.iou == spurious.dsc == spurious.iou == 0
    assert isnan(absent.dsc)
    assert isnan(absent.iou)


def test_classes_are_independent_of_each_other(pair):
    truth, prediction = pair
    together = case_measures(truth, prediction, CLASSES, SPACING, 1.0)[0]
    alone = case_measures(*(np.where(labels == 1, labels, 0) for labels in pair), CLASSES, SPACING, 1.0)[0]
    assert together == alone


def test_renumbered_classes_have_the_same_measures():
    rng = np.random.default_rng(0)
    truth, prediction = rng.integers(0, 4, (2, 4, 9, 8)).astype(np.uint8)
    order = np.array([0, 3, 1, 2], np.uint8)
    plain = case_measures(truth, prediction, CLASSES[:4], SPACING, 1.0)
    renumbered = case_measures(order[truth], order[prediction], CLASSES[:4], SPACING, 1.0)
    for record in plain:
        other = asdict(renumbered[order[record.class_id] - 1])
        assert other | {"class_id": record.class_id, "class_name": record.class_name} == asdict(record)


def test_a_case_of_one_slice_is_flat(pair):
    truth, prediction = (labels[2:3] for labels in pair)
    liver = case_measures(truth, prediction, CLASSES, (1000.0, 1.5, 1.0), 1.0)[0]
    flat = surface_measures(truth[0] == 1, prediction[0] == 1, (1.5, 1.0), 1.0)
    assert {name: getattr(liver, name) for name in SURFACE} == vars(flat)
    # In three dimensions every voxel of a single slice would be on the boundary.
    assert flat.assd != surface_measures(truth == 1, prediction == 1, (1000.0, 1.5, 1.0), 1.0).assd


def test_truth_and_prediction_can_be_swapped(pair):
    truth, prediction = pair
    forth = case_measures(truth, prediction, CLASSES, SPACING, 1.0)
    back = case_measures(prediction, truth, CLASSES, SPACING, 1.0)
    assert [record.status for record in back] == ["ok", "spurious", "missed", "both_empty"]
    for name in ("dsc", "iou", "intersection", *SURFACE):
        assert getattr(back[0], name) == pytest.approx(getattr(forth[0], name))
    assert (back[0].truth, back[0].prediction) == (forth[0].prediction, forth[0].truth)


def test_shapes_must_agree():
    with pytest.raises(ValueError, match="expected one shape"):
        case_measures(np.zeros((1, 4, 4), np.uint8), np.zeros((2, 4, 4), np.uint8), CLASSES, SPACING, 1.0)


def test_strict_leaves_what_is_defined(pair):
    liver = case_measures(*pair, CLASSES, SPACING, 1.0)[0]
    assert score_strict(liver, 50.0) == liver


def test_strict_has_no_value_for_a_class_nowhere(pair):
    absent = score_strict(case_measures(*pair, CLASSES, SPACING, 1.0)[3], 50.0)
    assert all(isnan(getattr(absent, name)) for name in ("dsc", "iou", *SURFACE))


@pytest.mark.parametrize("index", [1, 2])
def test_strict_puts_missed_and_spurious_classes_a_diagonal_away(pair, index):
    scored = score_strict(case_measures(*pair, CLASSES, SPACING, 1.0)[index], 50.0)
    assert (scored.dsc, scored.iou, scored.nsd) == (0, 0, 0)
    assert (scored.hd95, scored.hd95_max, scored.assd) == (50, 50, 50)


def test_ignored_pixels_count_nowhere(pair):
    truth, prediction = pair
    truth[4, 0, 0:3] = 255
    found = {item.class_name: item for item in case_measures(truth, prediction, CLASSES, SPACING, 1.0)}
    assert found["vessel"].status == "both_empty"
    assert found["liver"].prediction == (prediction == 1).sum()
