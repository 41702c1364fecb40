import numpy as np
import pytest
import torch

from mmseg_ext.engine.fit import fit_to

SIZES = [(20, 26), (32, 32), (64, 48), (7, 90), (33, 31), (1, 1)]


@pytest.mark.parametrize("native", SIZES)
@pytest.mark.parametrize("rule", ["pad", "resize"])
def test_image_becomes_the_input_size_and_logits_the_native_one(native, rule):
    fit = fit_to(native, (32, 40), rule)
    image = np.zeros((*native, 3), np.uint8)
    assert fit.place(fit.scale(image)).shape == (32, 40, 3)
    assert fit.to_native(torch.zeros(2, 5, 32, 40)).shape == (2, 5, *native)


def test_padding_is_undone_exactly():
    image = np.arange(20 * 26, dtype=np.uint16).reshape(20, 26)
    fit = fit_to((20, 26), (32, 32), "pad")
    placed = fit.place(fit.scale(image))
    assert placed.sum() == image.sum()
    assert placed[6, 3] == image[0, 0]
    back = fit.to_native(torch.from_numpy(placed.astype(np.float32))[None, None])
    assert (back[0, 0].numpy() == image).all()


@pytest.mark.parametrize("rule", ["pad", "resize"])
@pytest.mark.parametrize("native", [(100, 80), (40, 200), (64, 64)])
def test_nothing_of_a_larger_image_is_lost(native, rule):
    """A mark in each corner and at the centre comes back where it was."""
    fit = fit_to(native, (64, 64), rule)
    height, width = native
    for top, left in [(0, 0), (0, width - 20), (height - 20, 0), (height - 20, width - 20), (height // 2, width // 2)]:
        image = np.zeros(native, np.uint8)
        image[top : top + 20, left : left + 20] = 200
        placed = fit.place(fit.scale(image)).astype(np.float32)
        back = fit.to_native(torch.from_numpy(placed)[None, None])[0, 0].numpy() > 100
        truth = image > 100
        assert 2 * (back & truth).sum() / (back.sum() + truth.sum()) > 0.9


def test_padding_keeps_proportions():
    fit = fit_to((100, 50), (64, 64), "pad")
    assert fit.scaled == (64, 32)
    assert fit.offset == (0, 16)


def test_labels_keep_their_values():
    labels = np.random.default_rng(0).choice([0, 3, 7], (50, 41)).astype(np.uint8)
    found = fit_to((50, 41), (32, 32), "resize").scale_labels(labels)
    assert found.shape == (32, 32)
    assert set(np.unique(found)) <= {0, 3, 7}
