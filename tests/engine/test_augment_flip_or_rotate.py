import numpy as np
import pytest

from mmseg_ext.engine.augment import generator
from mmseg_ext.engine.augment_flip_or_rotate import FlipOrRotate


def applied(image, count=400, size=None):
    change = FlipOrRotate()
    return [
        change(generator(0, 0, item), image, [image.astype(np.uint8)], size or image.shape) for item in range(count)
    ]


@pytest.mark.parametrize("side", [100, 101])
def test_half_are_exact_quarter_turns_with_a_mirror_image(side):
    image = np.random.default_rng(0).integers(1, 200, (side, side)).astype(np.float32)
    mirrored = {np.rot90(image[::-1], turns).tobytes() for turns in range(4)}
    found = [moved.tobytes() for moved, _ in applied(image)]
    share = np.mean([item in mirrored for item in found])
    assert mirrored <= set(found)
    assert share == pytest.approx(0.5, abs=0.08)
    # Of the others half are left alone, and one in forty of the small turns is by nothing.
    assert np.mean([item == image.tobytes() for item in found]) == pytest.approx(0.25 * (1 + 1 / 40), abs=0.07)


def test_values_are_those_of_the_image_and_maps_follow():
    image = np.random.default_rng(1).integers(1, 200, (12, 12)).astype(np.float32)
    for moved, (label,) in applied(image, 60):
        assert set(moved.ravel()) <= {0.0, *image.ravel()}
        assert np.array_equal(moved, label)


def test_the_image_is_centred_in_a_larger_input():
    image = np.full((4, 6), 7, np.float32)
    for moved, _ in applied(image, 40, (12, 12)):
        assert moved.shape == (12, 12)
        rows, columns = np.nonzero(moved)
        assert (rows.mean(), columns.mean()) == pytest.approx((5.5, 5.5), abs=0.6)
