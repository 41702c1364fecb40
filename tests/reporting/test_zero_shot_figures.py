"""Pictures of unseen classes: what they show, and that they appear for tasks that have some."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgb

from mmseg_ext.data.prepared import finish, write_image
from mmseg_ext.evaluation.predictions import write_prediction
from mmseg_ext.reporting.figures import zero_shot

CLASSES = ["background", "square", "disc"]


@pytest.fixture
def inputs(tmp_path):
    """Two test images and two training images with a seen square and an unseen disc, one method, regions."""
    rows, pixels, scored = [], [], []
    for index, subset in enumerate(("test", "test", "train", "train")):
        label = np.zeros((30, 40), np.uint8)
        label[4:12, 5:15], label[15:28, 20 : 26 + index] = 1, 2
        name = f"c{index}"
        write_image(tmp_path / "data/images" / f"{name}.png", np.dstack([label * 90] * 3))
        write_image(tmp_path / "data/labels" / f"{name}.png", label)
        write_image(tmp_path / "regions" / f"{name}.png", (1 + label).astype(np.uint8))
        write_prediction(tmp_path / "run/scenes", name, label[None])
        rows.append({
            "sample": name, "case": name, "patient": name, "slice": 0, "slices": 1, "height": 30, "width": 40,
            "slope": 1.0, "intercept": 0.0, "low": 0.0, "high": 255.0, "annotator": "", "text": "", "subset": subset,
        })  # fmt: skip
        pixels += [(name, label_name, int((label == index).sum())) for index, label_name in enumerate(CLASSES)]
        scored.append(
            {"track": "zero_shot", "task": "scenes", "dataset": "scenes", "condition": "mini", "protocol": "strict",
             "method": "net", "seed": 0, "case": name, "class_name": "disc", "truth": 100 + index}
        )  # fmt: skip
    table = pd.DataFrame(pixels, columns=["case", "class_name", "pixels"])
    (tmp_path / "data").mkdir(exist_ok=True)
    table.to_csv(tmp_path / "data/class_pixels.csv", index=False)
    splits = pd.DataFrame(rows)[["case", "patient", "subset"]]
    finish(tmp_path / "data", {"dataset": "scenes", "classes": CLASSES, "unit": "px", "is_volume": False,
                               "channels": ["r", "g", "b"]}, rows, splits)  # fmt: skip
    task = SimpleNamespace(
        classes=CLASSES, unseen=["disc"], ignored=[], datasets={"scenes": SimpleNamespace(prepared=tmp_path / "data")}
    )
    return SimpleNamespace(
        task=lambda _: task,
        conditions=lambda _: ["mini"],
        condition_title=lambda *_: "mini-CLIP",
        method_title=lambda *_: "Net",
        methods=["net"],
        deciding_scores=lambda **_: pd.DataFrame({"method": ["net"], "mean": [0.4]}),
        deciding_title=lambda _: "harmonic IoU",
        protocol="strict",
        results=SimpleNamespace(cases=pd.DataFrame(scored)),
        predictions=lambda run, dataset: tmp_path / "run/scenes",
        plan=SimpleNamespace(regions={"scenes": {"scenes": tmp_path / "regions"}}),
    )


def test_both_pictures_are_drawn(inputs, tmp_path):
    where = ("zero_shot", "scenes", "scenes")
    for draw, name in ((zero_shot.draw_predictions, "unseen"), (zero_shot.draw_regions, "regions")):
        drawing = draw(inputs, tmp_path, *where)
        assert drawing.name == f"{name}_zero_shot_scenes_scenes"
        assert drawing.png.stat().st_size > 5000
    assert "disc" in zero_shot.draw_predictions(inputs, tmp_path, *where).caption


def test_predictions_of_all_methods_are_drawn_the_best_first(inputs, tmp_path, monkeypatch):
    names = [f"net_{number}" for number in range(zero_shot.METHODS_A_ROW + 1)]
    cases = inputs.results.cases
    inputs.results.cases = pd.concat([cases.assign(method=name) for name in names])
    inputs.deciding_scores = lambda **_: pd.DataFrame({"method": names, "mean": np.linspace(0.1, 0.9, len(names))})
    asked = []
    monkeypatch.setattr(inputs, "predictions", lambda run, dataset: asked.append(run) or tmp_path / "run/scenes")
    drawing = zero_shot.draw_predictions(inputs, tmp_path, "zero_shot", "scenes", "scenes")
    drawn = list(dict.fromkeys(run.split("/")[2] for run in asked))
    assert drawn == names[::-1]
    assert "Methods by harmonic IoU. Mini-CLIP, seed 0" in drawing.caption


def test_seen_and_unseen_are_weighed_for_every_condition_with_scores(inputs, tmp_path):
    rows = [
        {"track": "zero_shot", "task": "scenes", "dataset": "scenes", "condition": "mini", "protocol": "strict",
         "measure": "iou", "method": "net", "class_name": name, "mean": mean, "ci_low": mean - 0.1,
         "ci_high": mean + 0.1, "n_cases": 2, "n_seeds": 3}
        for name, mean in (("seen", 0.6), ("unseen", 0.2), ("macro", 0.5))
    ]  # fmt: skip
    inputs.tables = {"pooled": pd.DataFrame(rows)}
    where = ("zero_shot", "scenes", "scenes")
    drawing = zero_shot.draw_trade_off(inputs, tmp_path, *where)
    assert drawing.name == "trade_off_zero_shot_scenes_scenes"
    svg = drawing.svg.read_text()
    for words in ("mini-CLIP", "IoU of unseen classes", "Net", "0.3"):
        assert words in svg
    inputs.tables["pooled"] = inputs.tables["pooled"].iloc[:0]
    assert zero_shot.draw_trade_off(inputs, tmp_path, *where) is None


def test_nothing_is_drawn_without_regions_or_scores(inputs, tmp_path):
    where = ("zero_shot", "scenes", "scenes")
    inputs.plan.regions = {}
    assert zero_shot.draw_regions(inputs, tmp_path, *where) is None
    inputs.results.cases = inputs.results.cases.iloc[:0]
    assert zero_shot.draw_predictions(inputs, tmp_path, *where) is None


def test_regions_are_pale_where_they_are_no_candidates():
    ids = np.array([[1, 1, 2]])
    found = zero_shot._coloured(ids, np.array([[True, False, True]]))
    full = found[0, 0]
    assert found[0, 1] == pytest.approx(0.75 + 0.25 * full)
    assert not np.allclose(found[0, 2], full)


def test_the_colour_of_unseen_classes_is_laid_over_them_only():
    class Axes:
        def imshow(self, layer, interpolation):
            self.layer = layer

    axes = Axes()
    zero_shot._lay(axes, np.array([[True, False]]))
    assert axes.layer[0, 0].tolist() == pytest.approx([*to_rgb(zero_shot.UNSEEN_COLOUR), 0.55])
    assert axes.layer[0, 1, 3] == 0
