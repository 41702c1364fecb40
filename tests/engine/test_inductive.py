"""What is unseen reaches neither training nor selection, and prediction knows it all the same."""

import numpy as np
import pandas as pd
import pytest
import torch
from support.tiny_run import make_boxes
from torch import nn

from mmseg_ext.data.prepared import PreparedDataset, write_image
from mmseg_ext.engine.dataset import PreparedSlices, drop_annotations
from mmseg_ext.engine.hooks.validation import case_dsc
from mmseg_ext.engine.predict import Predictor, reveal_names


@pytest.fixture
def subset(tmp_path):
    make_boxes(tmp_path / "boxes")
    rows = [("boxes", case, case, name) for case, name in [("b", "train"), ("a", "train"), ("c", "test")]]
    pd.DataFrame(rows, columns=["dataset", "case", "patient", "subset"]).to_csv(tmp_path / "cases.csv", index=False)
    return tmp_path / "cases.csv"


def slices(subset, **changes):
    arguments = {"image_size": (32, 32), "fit": "pad", "augmentation": {"rotation": 15.0}, "seed": 0, **changes}
    return PreparedSlices({"boxes": str(subset.parent / "boxes")}, str(subset), **arguments)


def test_samples_are_the_same_whatever_an_unseen_label_says(subset):
    """Relabelled before transforms, caches and statistics: moving the unseen class about changes no byte."""
    before = slices(subset, unannotated=[1])
    first = [before[epoch, item] for epoch in range(2) for item in range(len(before))]
    data = PreparedDataset(subset.parent / "boxes")
    for sample in data.samples["sample"]:
        label = data.label(sample)
        hidden = label == 1
        label[hidden] = np.where(np.arange(hidden.sum()) % 2, 1, 2)
        write_image(data.labels / f"{sample}.png", label)
    after = slices(subset, unannotated=[1, 2])
    second = [after[epoch, item] for epoch in range(2) for item in range(len(after))]
    for one, other in zip(first, second, strict=True):
        assert one.keys() == other.keys()
        assert all(np.array_equal(one[name], other[name]) for name in one)
        assert set(np.unique(one["label"])) <= {0, 255}


def test_an_ignored_background_is_ignored_around_the_image_too(subset):
    label = slices(subset, unannotated=[0])[0, 1]["label"]
    assert set(np.unique(label)) == {1, 255}
    assert label[0, 0] == 255


def test_an_image_without_any_annotation_is_a_sample(subset):
    assert set(np.unique(slices(subset, unannotated=[0, 1])[0, 0]["label"])) == {255}


def test_dropped_annotations_are_whole_classes_and_the_share_asked_for():
    dropped = 0
    for key in range(400):
        label = np.array([[0, 1, 2, 255]] * 3, np.uint8)
        drop_annotations(label, 0.15, [0, "d", str(key)])
        assert (label[:, :3] == label[0, :3]).all()
        assert (label[:, 3] == 255).all()
        dropped += int((label[0, :3] == 255).sum())
    assert 0.11 < dropped / 1200 < 0.19


def test_what_is_dropped_depends_on_seed_and_image_only(subset):
    found = {}
    for seed in (0, 1):
        data = slices(subset, seed=seed, dropped_annotations=0.5, augmentation={})
        labels = [data[epoch, item]["label"] for epoch in (0, 3) for item in range(len(data))]
        half = len(labels) // 2
        assert all(np.array_equal(a, b) for a, b in zip(labels[:half], labels[half:], strict=True))
        found[seed] = [(label == 255).sum() for label in labels[:half]]
    assert found[0] != found[1]
    assert max(found[0]) > 0


def test_validation_counts_no_ignored_pixel():
    truth = np.array([[[0, 1, 1, 255, 255]]], np.uint8)
    assert case_dsc(np.array([[[0, 1, 1, 1, 2]]], np.uint8), truth, 3) == 1
    assert case_dsc(np.array([[[0, 1, 0, 1, 2]]], np.uint8), truth, 3) == pytest.approx(2 / 3)


class Constant(nn.Module):
    """Scores 0.5, 0.45 and 0.7 everywhere for classes 0, 1, 2."""

    def data_preprocessor(self, data):
        return data

    def encode_decode(self, inputs):
        return torch.tensor([0.5, 0.45, 0.7]).view(1, 3, 1, 1).expand(len(inputs), 3, *inputs.shape[2:]).clone()

    def reveal(self, names):
        self.names = names


@pytest.mark.parametrize(
    ("absent", "inference", "expected"),
    [((), "plain", 2), ((2,), "plain", 0), ((2,), "gamma_0p1", 1), ((), "gamma_0p1", 2)],
)
def test_seen_classes_are_lowered_and_absent_ones_never_predicted(absent, inference, expected):
    predictor = Predictor(Constant(), (8, 8), "pad", 2, absent, seen=(0, 2))
    found = predictor.segment(np.zeros((3, 8, 8), np.uint8), 1, 0, 0, 255, inference=inference)
    assert np.unique(found).tolist() == [expected]


def test_prediction_learns_all_names_but_those_of_classes_that_count_nowhere():
    model = Constant()
    reveal_names(model, ["background", "a", "b"], absent=(0,))
    assert model.names == [None, "a", "b"]
