"""Evaluation of a run on a tiny prepared data set."""

import numpy as np
import pandas as pd
import pytest

from mmseg_ext.evaluation.cases import COLUMNS
from mmseg_ext.evaluation.evaluate import evaluate_run, write_cases
from mmseg_ext.evaluation.predictions import write_prediction
from mmseg_ext.suite.errors import InputError
from mmseg_ext.suite.task import TaskPart


@pytest.fixture
def predictions(truth):
    """The first volume shifted by one column, the second without tumour, the third with one too many."""
    found = {"v1": np.roll(truth["v1"], 1, axis=2), "v2": truth["v2"].copy(), "v3": truth["v3"].copy()}
    found["v2"][found["v2"] == 2] = 1
    found["v3"][0, 0, 0] = 2
    return found


@pytest.fixture
def run(make_dataset, write_subset, write_run, truth, predictions, task, protocol):
    """Arguments of `evaluate_run`."""
    data = make_dataset("volumes", truth)
    folder = write_run(data, predictions)
    subset = write_subset({"volumes": ["v2", "v1", "v3"]})
    return {
        "run_folder": folder,
        "prepared": {"volumes": data},
        "subset": subset,
        "task": task,
        "protocols": [protocol],
    }


def test_one_row_a_case_and_class_in_order(run):
    frame = evaluate_run(**run)
    assert list(frame.columns) == COLUMNS
    assert list(frame["case"]) == ["v2", "v2", "v1", "v1", "v3", "v3"]
    assert list(frame["class_name"]) == ["liver", "tumour"] * 3
    assert list(frame["status"]) == ["ok", "missed", "ok", "ok", "ok", "spurious"]
    same = frame[["track", "task", "method", "condition", "seed", "protocol", "dataset", "unit"]].drop_duplicates()
    assert same.to_numpy().tolist() == [["supervised", "volumes", "unet", "full", 3, "strict", "volumes", "mm"]]
    assert list(frame["patient"]) == [f"p_{case}" for case in frame["case"]]


def test_values_of_a_shifted_volume(run):
    frame = evaluate_run(**run).set_index(["case", "class_name"])
    tumour = frame.loc["v1", "tumour"]
    assert (tumour.intersection, tumour.prediction, tumour.truth) == (12, 18, 18)
    assert tumour.dsc == pytest.approx(2 / 3)
    assert tumour.iou == pytest.approx(0.5)
    # One column of spacing 1 mm; at a tolerance of 1 mm all of the surface is near.
    assert (tumour.hd95, tumour.hd95_max, tumour.nsd) == (1, 1, 1)
    missed = frame.loc["v2", "tumour"]
    diagonal = np.linalg.norm([4 * 3.0, 16 * 1.5, 13 * 1.0])
    assert (missed.dsc, missed.nsd, missed.hd95, missed.assd) == pytest.approx((0, 0, diagonal, diagonal))


def test_written_table_is_read_back_the_same_and_the_same_bytes(run, tmp_path):
    run["prepared"]["volumes"].label_volume("v1")
    frame = evaluate_run(**run)
    for name in ("one", "two"):
        write_cases(frame, tmp_path / f"{name}.csv")
    assert (tmp_path / "one.csv").read_bytes() == (tmp_path / "two.csv").read_bytes()
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "one.csv"), frame, check_exact=True)


def test_undefined_values_are_empty_cells(run, truth, tmp_path):
    folder = run["run_folder"] / "predictions" / "last_plain" / "volumes"
    write_prediction(folder, "v3", truth["v3"])
    write_cases(evaluate_run(**run), tmp_path / "cases.csv")
    last = (tmp_path / "cases.csv").read_text().splitlines()[-1]
    assert last.endswith("2,tumour,both_empty,,,,,,,0,0,0,mm")


def test_more_workers_give_the_same_bytes(run, tmp_path):
    for workers in (1, 2):
        write_cases(evaluate_run(**run, workers=workers), tmp_path / f"{workers}.csv")
    assert (tmp_path / "1.csv").read_bytes() == (tmp_path / "2.csv").read_bytes()


def test_every_protocol_scores_the_predictions_of_its_variant(run, protocol, truth):
    data = run["prepared"]["volumes"]
    for case, labels in truth.items():
        write_prediction(run["run_folder"] / "predictions" / "last_flip" / data.name, case, labels)
    card = run["run_folder"] / "run.json"
    card.write_text(card.read_text().replace('"variants": {', '"variants": {"last_flip": {},'))
    flip = protocol.model_copy(update={"protocol": "flipped", "inference": "flip"})
    twin = protocol.model_copy(update={"protocol": "twin"})
    frame = evaluate_run(**run | {"protocols": [protocol, flip, twin]})
    assert list(frame["protocol"].unique()) == ["strict", "flipped", "twin"]
    by_name = {name: rows.drop(columns="protocol").reset_index(drop=True) for name, rows in frame.groupby("protocol")}
    pd.testing.assert_frame_equal(by_name["strict"], by_name["twin"])
    assert (by_name["flipped"]["dsc"].dropna() == 1).all()


def test_pixels_ignore_spacing_and_images_are_flat(make_dataset, write_subset, write_run, task, protocol):
    image = np.zeros((1, 20, 30), np.uint8)
    image[0, 5:15, 5:15] = 1
    image[0, 0, 29] = 2
    data = make_dataset("images", {"i1": image}, unit="px", spacing=None)
    folder = write_run(data, {"i1": np.roll(image % 2, 2, axis=1)})
    part = TaskPart(dataset="images", subset="test")
    task = task.model_copy(update={"task": "images", "train": [part], "test": [part]})
    frame = evaluate_run(folder, {"images": data}, write_subset({"images": ["i1"]}), task, [protocol])
    liver, missed = (row for _, row in frame.iterrows())
    assert (missed.status, missed.assd) == ("missed", np.hypot(20, 30))
    assert (liver.unit, liver.hd95) == ("px", 2)
    # Of each square's 36 boundary pixels: 10 a whole shift away and 2 half of it at one end; at the other, 8
    # inside the other square, of which 6 are 2 and 2 are 1 from its nearest side.
    assert liver.assd == pytest.approx((10 * 2 + 2 * 1 + 6 * 2 + 2 * 1) / 36)


def test_a_run_folder_of_another_format_is_refused(run):
    card = run["run_folder"] / "run.json"
    card.write_text(card.read_text().replace('"format": 1', '"format": 0'))
    with pytest.raises(InputError, match=r"run\.json: format: found 0, expected version 1.*train stage"):
        evaluate_run(**run)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"run": "supervised/other/unet/full/seed_3"}, "task volumes"),
        ({"run": "supervised/volumes"}, "seed_N"),
        ({"classes": ["background", "liver"]}, "tumour"),
        ({"data": {"volumes": "0" * 64}}, r"data\.volumes.*content hash"),
        ({"variants": {"best_val_plain": {}}}, "last_plain.*best_val_plain"),
    ],
)
def test_a_run_that_does_not_fit_is_refused(run, write_run, changes, message):
    write_run(run["prepared"]["volumes"], {}, **changes)
    with pytest.raises(InputError, match=message):
        evaluate_run(**run)


def test_a_missing_prediction_is_named(run):
    (run["run_folder"] / "predictions" / "last_plain" / "volumes" / "v1.npz").unlink()
    with pytest.raises(InputError, match=r"last_plain.volumes.v1\.npz"):
        evaluate_run(**run)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda x: x[:, :-1], r"labels\.shape.*\(4, 15, 12\)"),
        (lambda x: x + np.uint8(1), "class ids below 3"),
    ],
)
def test_a_prediction_that_does_not_fit_its_case_is_refused(run, predictions, spoil, message):
    folder = run["run_folder"] / "predictions" / "last_plain" / "volumes"
    write_prediction(folder, "v1", spoil(predictions["v1"]))
    with pytest.raises(InputError, match=message):
        evaluate_run(**run)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("volumes,v1", "volumes,unknown", "unknown"),
        ("volumes,v1", "volume,v1", "Did you mean 'volumes'"),
        (",test", ",val", "at least one row test"),
        ("dataset,case", "set,case", "also dataset"),
    ],
)
def test_a_subset_that_does_not_fit_is_refused(run, old, new, message):
    run["subset"].write_text(run["subset"].read_text().replace(old, new))
    with pytest.raises(InputError, match=message):
        evaluate_run(**run)


def test_millimetres_need_a_spacing(make_dataset, write_subset, write_run, truth, task, protocol):
    data = make_dataset("volumes", truth, spacing=None)
    folder = write_run(data, truth)
    with pytest.raises(InputError, match=r"samples\.csv: spacing"):
        evaluate_run(folder, {"volumes": data}, write_subset({"volumes": ["v1"]}), task, [protocol])


def test_pixels_of_an_ignored_background_count_nowhere(make_dataset, write_subset, write_run, truth, task, protocol):
    """Whatever is predicted on background, the scores are those of the objects."""
    data = make_dataset("volumes", truth)
    subset = write_subset({"volumes": ["v1"]})
    ignoring = task.model_copy(update={"background": "ignored"})
    found = []
    for invented in (1, 2):
        labels = np.where(truth["v1"] == 0, invented, truth["v1"]).astype(np.uint8)
        frame = evaluate_run(write_run(data, {"v1": labels}), {"volumes": data}, subset, ignoring, [protocol])
        found.append(frame)
        assert frame["dsc"].tolist() == [1, 1]
    assert found[0].equals(found[1])
