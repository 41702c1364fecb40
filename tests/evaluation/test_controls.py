"""Controls, and the bounds they set."""

import numpy as np
import pytest

from mmseg_ext.evaluation.cases import COLUMNS
from mmseg_ext.evaluation.controls import ControlError, check_controls, control_cases, dilate_classes


@pytest.fixture
def frame(make_dataset, write_subset, truth, task, protocol):
    data = make_dataset("volumes", truth)
    return control_cases(task, {"volumes": data}, write_subset({"volumes": ["v1", "v3"]}), [protocol])


def test_dilation_grows_into_background_by_one_face():
    labels = np.zeros((3, 7, 7), np.uint8)
    labels[1, 3, 3] = 2
    grown = dilate_classes(labels)
    assert grown.sum() == 2 * 7
    assert grown[0, 3, 3] == grown[1, 3, 2] == 2
    assert grown[1, 2, 2] == 0


def test_dilation_keeps_the_truth_and_lets_the_lower_class_grow_first():
    labels = np.array([[[0, 3, 0, 1, 2, 0]]], np.uint8)
    assert dilate_classes(labels).tolist() == [[[3, 3, 1, 1, 2, 2]]]


def test_one_row_a_control_case_and_class(frame):
    assert list(frame.columns) == COLUMNS
    assert len(frame) == 3 * 2 * 2
    assert set(frame["method"]) == {"oracle", "empty", "dilated"}
    assert frame[["track", "condition", "seed"]].drop_duplicates().to_numpy().tolist() == [["control", "control", 0]]


def test_controls_bound_every_measure(frame):
    check_controls(frame)
    liver = frame[(frame["case"] == "v1") & (frame["class_name"] == "liver")].set_index("method")
    assert liver.loc["oracle", ["dsc", "iou", "nsd", "hd95", "hd95_max", "assd"]].tolist() == [
        1,
        1,
        1,
        0,
        0,
        0,
    ]
    assert liver.loc["empty", ["dsc", "iou", "nsd"]].tolist() == [0, 0, 0]
    assert 0 < liver.loc["dilated", "dsc"] < 1
    assert 0 < liver.loc["dilated", "assd"] < liver.loc["empty", "assd"]


@pytest.mark.parametrize(
    ("control", "measure", "value"),
    [
        ("oracle", "dsc", 0.999),
        ("oracle", "hd95", 0.1),
        ("oracle", "nsd", np.nan),
        ("empty", "iou", 0.1),
        ("empty", "assd", 0.0),
        ("dilated", "dsc", 1.0),
        ("dilated", "iou", 0.0),
        ("dilated", "nsd", 1.1),
        ("dilated", "hd95_max", 1e6),
    ],
)
def test_a_broken_bound_is_named(frame, control, measure, value):
    chosen = (frame["method"] == control) & (frame["case"] == "v1") & (frame["class_name"] == "tumour")
    frame.loc[chosen, measure] = value
    with pytest.raises(ControlError, match=rf"{control}, case volumes/v1, class tumour, {measure} .*found {value}"):
        check_controls(frame)


def test_a_value_for_a_class_nowhere_is_a_broken_bound(frame):
    frame.loc[frame["status"] == "both_empty", "dsc"] = 1.0
    with pytest.raises(ControlError, match="v3, class tumour, dsc"):
        check_controls(frame)


def test_a_class_without_room_to_grow_stays_perfect(make_dataset, write_subset, truth, task, protocol):
    full = {"v1": np.ones_like(truth["v1"])}
    subset = write_subset({"volumes": ["v1"]})
    frame = control_cases(task, {"volumes": make_dataset("volumes", full)}, subset, [protocol])
    assert frame.set_index(["method", "class_name"]).loc[("dilated", "liver"), "dsc"] == 1
    check_controls(frame)


def test_a_missing_control_is_an_error(frame):
    with pytest.raises(ControlError, match="dilated"):
        check_controls(frame[frame["method"] != "dilated"])


def test_controls_keep_their_bounds_where_the_background_counts_nowhere(
    make_dataset, write_subset, truth, task, protocol
):
    data = make_dataset("volumes", truth)
    ignoring = task.model_copy(update={"background": "ignored"})
    frame = control_cases(ignoring, {"volumes": data}, write_subset({"volumes": ["v1", "v3"]}), [protocol])
    check_controls(frame)
    dilated, oracle = (frame[frame["method"] == name].reset_index(drop=True) for name in ("dilated", "oracle"))
    assert dilated["dsc"].equals(oracle["dsc"])
