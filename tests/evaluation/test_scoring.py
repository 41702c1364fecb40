"""Scoring rules of papers beside our own."""

from pathlib import Path
from typing import get_args

import numpy as np
import pytest
import yaml

from mmseg_ext.evaluation.evaluate import evaluate_run
from mmseg_ext.evaluation.predictions import write_prediction
from mmseg_ext.evaluation.scoring import SCORING
from mmseg_ext.suite import track

PROTOCOLS = Path(__file__).parents[2] / "configs" / "protocols"


def released(**changes):
    return track.Protocol.model_validate(yaml.safe_load((PROTOCOLS / "paper_hiperformer.yaml").read_text()) | changes)


def test_the_names_that_configs_may_use_are_those_there_are():
    assert set(get_args(track.Scoring)) == set(SCORING)


def test_empty_masks_and_voxel_units_of_the_released_evaluator(make_dataset, write_subset, write_run, task, protocol):
    volumes = {}
    for name in ("ok", "missed", "spurious", "neither"):
        volumes[name] = np.zeros((4, 16, 12), np.uint8)
        volumes[name][1:3, 3:12, 2:9] = 1
    volumes["ok"][1:3, 5:8, 4:7] = volumes["missed"][1, 5, 4] = 2
    predictions = {name: labels.copy() for name, labels in volumes.items()}
    # One row of the tumour, two columns further: 2 pixels, at a spacing of 1.5 mm a row and 1 mm a column.
    predictions["ok"][volumes["ok"] == 2] = 1
    predictions["ok"][1:3, 7:10, 4:7] = 2
    predictions["missed"][1, 5, 4] = 1
    predictions["spurious"][1, 5, 4] = 2
    data = make_dataset("volumes", volumes)
    folder = write_run(data, predictions)
    for case, labels in predictions.items():
        write_prediction(folder / "predictions" / "best_test_resized_labels" / data.name, case, labels)
    card = folder / "run.json"
    card.write_text(card.read_text().replace('"variants": {', '"variants": {"best_test_resized_labels": {},'))
    subset = write_subset({"volumes": list(volumes)})
    frame = evaluate_run(folder, {"volumes": data}, subset, task, [protocol, released()])
    rows = frame[frame["class_name"] == "tumour"].set_index(["protocol", "case"])
    quirks = rows.loc["paper_hiperformer"]
    assert quirks[["dsc", "hd95"]].T.to_dict("list") == {
        "ok": [pytest.approx(1 / 3), 2.0], "missed": [0.0, 0.0], "spurious": [1.0, 0.0], "neither": [0.0, 0.0],
    }  # fmt: skip
    assert set(quirks["unit"]) == {"px"}
    strict = rows.loc["strict"]
    assert (strict.loc["ok", "hd95"], strict.loc["ok", "unit"]) == (3.0, "mm")
    assert strict["dsc"].fillna(-1).tolist() == [pytest.approx(1 / 3), 0.0, 0.0, -1.0]


def test_the_test_set_may_choose_only_for_a_paper():
    with pytest.raises(ValueError, match="best_test only together with the paper"):
        released(paper=None)
    assert released().variant == "best_test_resized_labels"


def test_empty_masks_as_in_the_lesion_benchmarks():
    """Two empty masks agree; where one is empty there is no distance, as in none of the tools for distances."""
    scoring, classes = SCORING["dale"], ["background", "lesion"]
    assert scoring.in_pixels
    masks = {"lesion": np.zeros((1, 12, 12), np.uint8), "moved": np.zeros((1, 12, 12), np.uint8)}
    masks["lesion"][0, 3:6, 3:6] = masks["moved"][0, 3:6, 5:8] = 1
    masks["none"] = np.zeros((1, 12, 12), np.uint8)

    def scored(truth, prediction):
        (found,) = scoring.measure(masks[truth], masks[prediction], classes, (1, 1, 1), 2.0)
        return scoring.score(found, 17.0)

    both, missed, spurious, ok = (
        scored(*pair) for pair in (("none", "none"), ("lesion", "none"), ("none", "lesion"), ("lesion", "moved"))
    )
    assert (both.dsc, both.iou, both.hd95, both.assd) == (1, 1, 0, 0)
    assert (ok.dsc, ok.iou, ok.hd95) == (pytest.approx(1 / 3), pytest.approx(1 / 5), 2)
    for found in (missed, spurious):
        assert (found.dsc, found.iou) == (0, 0)
        assert np.isnan([found.hd95, found.hd95_max, found.assd]).all()


def test_the_protocol_of_dale_counts_single_images_and_looks_at_no_test_set():
    protocol = track.Protocol.model_validate(yaml.safe_load((PROTOCOLS / "paper_dale.yaml").read_text()))
    assert not protocol.chosen_on_test
    assert not protocol.pooled
