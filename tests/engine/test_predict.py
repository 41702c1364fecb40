import numpy as np
import pytest
import torch
from torch import nn

from mmseg_ext.engine.predict import Predictor


class Threshold(nn.Module):
    """Class 1 where the input is above its middle."""

    num_classes = 2

    def __init__(self):
        super().__init__()
        self.bias = 0.0

    def data_preprocessor(self, data):
        return data

    def encode_decode(self, inputs):
        found = inputs[:, :1] - 0.5
        found = found + self.bias * torch.linspace(-1, 1, found.shape[-1])
        return torch.cat([-found, found], 1)


def stack(shape=(5, 20, 26)):
    rng = np.random.default_rng(0)
    stored = rng.integers(0, 40, shape).astype(np.uint16)
    stored[:, 4:12, 5:19] += 60
    return stored


@pytest.mark.parametrize("batch_size", [1, 2, 7])
def test_labels_at_native_size_whatever_the_batch(batch_size):
    stored = stack()
    found = Predictor(Threshold(), (32, 32), "pad", batch_size).segment(stored, 1.0, 0.0, 0.0, 100.0)
    assert found.dtype == np.uint8
    assert np.array_equal(found, stored > 50)


def test_intensity_of_each_slice_is_used():
    stored = np.full((3, 8, 8), 40, np.uint8)
    found = Predictor(Threshold(), (8, 8), "pad", 2).segment(stored, [1.0, 2.0, 1.0], [0.0, 0.0, 30.0], 0.0, 100.0)
    assert found.reshape(3, -1).min(1).tolist() == found.reshape(3, -1).max(1).tolist() == [0, 1, 1]


@pytest.mark.parametrize(("shape", "fit"), [((2, 70, 40), "pad"), ((2, 70, 40), "resize"), ((2, 9, 9), "resize")])
def test_other_sizes_come_back(shape, fit):
    stored = np.zeros(shape, np.uint8)
    top, left = shape[1] // 3, shape[2] // 3
    stored[:, top : 2 * top, left : 2 * left] = 100
    found = Predictor(Threshold(), (32, 32), fit, 4).segment(stored, 1.0, 0.0, 0.0, 100.0)
    truth = stored > 50
    assert found.shape == shape
    assert 2 * (found.astype(bool) & truth).sum() / (found.sum() + truth.sum()) > 0.85


def test_classes_can_be_decided_at_the_input_size():
    stored = np.zeros((1, 64, 64), np.uint8)
    stored[0, :33] = 100
    predictor = Predictor(Threshold(), (32, 32), "resize", 4)
    found = predictor.segment(stored, 1.0, 0.0, 0.0, 100.0, inference="resized_labels")
    # Row 16 of the input is the mean of an inner and an outer row, a tie, and both of its native rows are alike.
    assert found[0, :, 0].tolist() == [1] * 32 + [0] * 32
    whole = predictor.segment(stack(), 1.0, 0.0, 0.0, 100.0, inference="resized_labels")
    assert whole.shape == stack().shape


def test_colour_images():
    stored = np.repeat(stack((2, 16, 20))[..., None], 3, axis=3).astype(np.uint8)
    found = Predictor(Threshold(), (16, 20), "pad", 2).segment(stored, 1.0, 0.0, 0.0, 100.0)
    assert np.array_equal(found, stored[..., 0] > 50)


def test_flip_averages_the_two_mirror_images():
    """A bias that grows from left to right cancels in the mean of both views."""
    model = Threshold()
    model.bias = 3.0
    stored = np.full((1, 8, 9), 60, np.uint8)
    stored[:, :, 4:] = 40
    predictor = Predictor(model, (8, 9), "pad", 1)
    plain = predictor.segment(stored, 1.0, 0.0, 0.0, 100.0)
    flipped = predictor.segment(stored, 1.0, 0.0, 0.0, 100.0, inference="flip")
    assert not np.array_equal(plain, stored > 50)
    assert np.array_equal(flipped, stored > 50)


def test_the_mode_of_the_network_is_left_as_it_was():
    model = Threshold().train()
    Predictor(model, (8, 8), "pad", 1).segment(np.zeros((1, 8, 8), np.uint8), 1.0, 0.0, 0.0, 1.0)
    assert model.training
