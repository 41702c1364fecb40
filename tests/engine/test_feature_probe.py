import numpy as np
import pytest
import torch
import torch.nn.functional as F
from support.tiny_run import make_boxes
from torch import nn

from mmseg_ext.data.prepared import IGNORED, PreparedDataset
from mmseg_ext.engine.feature_probe import (
    LabelledSlices,
    LinearLayer,
    fit_linear,
    labelled_slices,
    picture,
    pooled_dsc,
    sample_features,
    write_probe,
)
from mmseg_ext.suite.files import read_json

SIZE = (32, 32)


class Encoder(nn.Module):
    """Two maps: the image, or nothing, at full size, and coarse noise from it."""

    def __init__(self, sees=True):
        super().__init__()
        self.sees = sees
        torch.manual_seed(1)
        self.conv = nn.Conv2d(1, 5, 3, padding=1)

    def forward(self, images):
        fine = images if self.sees else torch.zeros_like(images)
        return fine, self.conv(F.avg_pool2d(fine, 4))


@pytest.fixture(scope="module")
def boxes(tmp_path_factory):
    return make_boxes(tmp_path_factory.mktemp("probe") / "boxes")


def as_is(data):
    return data


def test_drawn_features_are_those_of_the_enlarged_maps(boxes):
    slices, encoder = labelled_slices([boxes], "train", SIZE, "pad"), Encoder()
    torch.manual_seed(0)
    layer = LinearLayer(torch.randn(3, 6), torch.randn(3))
    with torch.no_grad():
        features, classes = sample_features(encoder, slices)
        enlarged = torch.cat([F.interpolate(one, SIZE, mode="bilinear") for one in encoder(slices.images)], dim=1)
        logits = layer.logits(encoder(slices.images), SIZE)
    torch.testing.assert_close(
        logits, torch.einsum("kc,nchw->nkhw", layer.weight, enlarged) + layer.bias[:, None, None]
    )
    # Every drawn pixel is found among those of its class.
    of_box = enlarged.permute(0, 2, 3, 1)[torch.from_numpy(slices.labels == 1)]
    drawn = features[classes == 1]
    assert len(drawn) > 20
    assert (drawn[:, None] - of_box[None]).abs().amax(2).min(1).values.max() < 1e-5


def test_slices_hold_foreground_and_ignore_what_lies_outside(boxes):
    slices = labelled_slices([boxes], "train", SIZE, "pad")
    assert slices.images.shape == (6, 1, 32, 32)
    assert (slices.labels == 1).any(axis=(1, 2)).all()
    # Slices of 20 x 26 lie in the middle.
    assert (slices.labels[:, :6] == IGNORED).all()
    assert (slices.labels[:, 6:26, 3:29] != IGNORED).all()
    assert labelled_slices([boxes], "nowhere", SIZE, "pad") is None


def test_the_layer_separates_what_can_be_separated():
    rng = torch.Generator().manual_seed(0)
    features = 100 * torch.randn(300, 4, generator=rng) + 1000
    classes = (features @ torch.tensor([1.0, -2.0, 0.0, 0.5]) > -500).long()
    layer = fit_linear(features, classes, 2)
    decided = (features @ layer.weight.T + layer.bias).argmax(1)
    assert (decided == classes).float().mean() > 0.97
    again = fit_linear(features, classes, 2)
    assert torch.equal(layer.weight, again.weight)


def test_pooled_dsc_of_known_counts():
    labels = np.array([[[0, 1, 1, 2], [0, 1, 2, IGNORED]]], np.uint8)
    decided = torch.tensor([[[0, 1, 0, 2], [1, 1, 1, 2]]])
    logits = F.one_hot(decided, 4).permute(0, 3, 1, 2).float()
    layer = LinearLayer(torch.eye(4), torch.zeros(4))
    found = pooled_dsc(lambda images: [images], layer, LabelledSlices(logits, labels), ["none", "a", "b", "absent"])
    # Class a: 2 of 3 found, 4 predicted; class b: 1 of 2 found, 1 predicted, as the ignored pixel does not count.
    assert found == {"a": pytest.approx(4 / 7), "b": pytest.approx(2 / 3)}


def test_a_picture_has_colours_of_the_whole_range_and_is_repeatable(boxes):
    slices, encoder = labelled_slices([boxes], "train", SIZE, "pad"), Encoder()
    with torch.no_grad():
        features, _ = sample_features(encoder, slices)
        drawn = picture(encoder, features, slices.images)
        assert np.array_equal(drawn, picture(encoder, features, slices.images))
    assert drawn.shape == (6, 32, 32, 3)
    assert (drawn.reshape(-1, 3).min(0) == 0).all()
    assert (drawn.reshape(-1, 3).max(0) == 255).all()


def test_an_encoder_that_sees_the_image_scores_higher(boxes, tmp_path):
    encoders = {"before": Encoder(sees=False), "after": Encoder()}
    write_probe(tmp_path, encoders, as_is, [boxes], SIZE, "pad")
    record = read_json(tmp_path / "probe.json")
    assert record["dsc"]["after"] > 0.9
    assert record["dsc"]["before"] < 0.5
    assert record["features"] == 6
    assert record["slices"] == {"train": 6, "val": 3}
    with np.load(tmp_path / "features.npz") as drawn:
        assert set(drawn) == {"image", "label", "before", "after"}
        assert drawn["label"].shape == drawn["image"].shape == drawn["after"].shape[:3]


def test_without_validation_labels_nothing_is_measured(boxes, tmp_path):
    other = PreparedDataset(boxes.root)
    other.splits = other.splits[other.splits["subset"] != "val"]
    write_probe(tmp_path, {"before": Encoder(), "after": Encoder()}, as_is, [other], SIZE, "pad")
    assert read_json(tmp_path / "probe.json") == {"measured": False}
    assert not (tmp_path / "features.npz").exists()
