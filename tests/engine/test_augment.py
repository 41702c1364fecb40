import numpy as np
import pytest

from mmseg_ext.engine.augment import Augmentation, generator

STRONG = Augmentation(
    rotation=20, scaling=0.3, shift=0.1, horizontal_flip=0.5, brightness=0.1, contrast=0.2, gamma=0.2, noise=0.02
)


def scene():
    """A bright off-centre block and the map that marks it."""
    image = np.zeros((30, 36), np.float32)
    image[8:20, 4:22] = 1
    return image, (image > 0).astype(np.uint8)


def test_defaults_only_centre_the_image():
    image, label = scene()
    moved, maps = Augmentation()(generator(0, 0, 0), image, [label], (40, 40))
    assert moved.shape == maps[0].shape == (40, 40)
    assert np.array_equal(moved[5:35, 2:38], image)
    assert np.array_equal(maps[0][5:35, 2:38], label)
    assert moved.sum() == image.sum()


@pytest.mark.parametrize("epoch", range(8))
def test_image_and_maps_move_together(epoch):
    image, label = scene()
    geometric = Augmentation(rotation=30, scaling=0.3, shift=0.1, horizontal_flip=0.5)
    big = (label.astype(np.uint16)) * 700
    moved, maps = geometric(generator(1, epoch, 5), image, [label, big], (48, 48))
    assert maps[1].dtype == np.uint16
    assert np.array_equal(maps[0].astype(np.uint16) * 700, maps[1])
    inside = (moved > 0.5) == (maps[0] > 0)
    assert inside.mean() > 0.98
    assert maps[0].sum() > 50


def test_flip_mirrors_left_and_right_about_the_centre():
    image, label = scene()
    moved, maps = Augmentation(horizontal_flip=1)(generator(0, 0, 0), image, [label], (30, 36))
    assert np.allclose(moved, image[:, ::-1], atol=1e-5)
    assert np.array_equal(maps[0], label[:, ::-1])


def test_colour_images_keep_their_channels():
    image = np.random.default_rng(0).random((20, 24, 3)).astype(np.float32)
    moved, _ = STRONG(generator(0, 1, 2), image, [], (32, 32))
    assert moved.shape == (32, 32, 3)
    assert moved.dtype == np.float32
    assert np.isfinite(moved).all()


def test_same_seed_epoch_and_item_give_the_same_bytes():
    image, label = scene()
    one, maps = STRONG(generator(3, 4, 5), image, [label], (32, 40))
    np.random.seed(1)  # noqa: NPY002 (the global generator must not matter)
    two, others = STRONG(generator(3, 4, 5), image.copy(), [label], (32, 40))
    assert one.tobytes() == two.tobytes()
    assert maps[0].tobytes() == others[0].tobytes()


@pytest.mark.parametrize("key", [(4, 4, 5), (3, 5, 5), (3, 4, 6)])
def test_another_seed_epoch_or_item_gives_another_image(key):
    image, label = scene()
    one, _ = STRONG(generator(3, 4, 5), image, [label], (32, 40))
    two, _ = STRONG(generator(*key), image, [label], (32, 40))
    assert not np.array_equal(one, two)


def test_noise_has_at_most_its_spread():
    image = np.full((64, 64), 0.5, np.float32)
    spreads = [Augmentation(noise=0.1)(generator(0, 0, i), image, [], (64, 64))[0].std() for i in range(20)]
    assert max(spreads) < 0.11
    assert max(spreads) > 0.05
