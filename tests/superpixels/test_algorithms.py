import cv2
import numpy as np
import pytest
from skimage.measure import label
from skimage.segmentation import slic
from support.superpixel_images import ALGORITHMS, disc, recipe

from mmseg_ext.suite.errors import InputError
from mmseg_ext.suite.superpixel_recipe import read_recipe
from mmseg_ext.superpixels.algorithms import superpixels
from mmseg_ext.superpixels.quality import map_quality


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("shape", [(64, 64), (48, 96), (64, 64, 3)])
def test_a_map_is_a_partition_numbered_from_one_whose_parts_are_in_one_piece(algorithm, shape):
    image, _ = disc(*shape[:2])
    if len(shape) == 3:
        image = np.stack([image, 1 - image, image**2], -1)
    ids = superpixels(image, recipe(algorithm, segments=30))
    assert ids.shape == shape[:2]
    assert ids.dtype == np.int32
    assert set(np.unique(ids)) == set(range(1, ids.max() + 1))
    assert label(ids, connectivity=2).max() == ids.max()
    assert 8 <= ids.max() <= 80


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_parts_keep_to_a_strong_edge(algorithm):
    image, labels = disc(64, 64)
    found = map_quality(superpixels(image, recipe(algorithm, segments=30)), labels)
    assert found.boundary_recall > 0.95
    assert found.achievable_accuracy > 0.97


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_the_same_image_gives_the_same_map_at_any_scale_and_number_of_threads(algorithm):
    image, _ = disc(64, 64)
    asked = recipe(algorithm, segments=30)
    first = superpixels(image, asked)
    threads = cv2.getNumThreads()
    try:
        cv2.setNumThreads(3)
        # A power of two changes no bit of a mantissa, so the scaled image is the same to the last one.
        again = [superpixels(image * 1024, asked) for _ in range(3)]
        assert cv2.getNumThreads() == 3
    finally:
        cv2.setNumThreads(threads)
    for ids in again:
        assert np.array_equal(ids, first)


def test_slic_skimage_is_the_call_of_the_papers_code():
    image, _ = disc(96, 96)
    expected = slic(np.stack([image] * 3, -1), n_segments=100, compactness=10)
    assert np.array_equal(superpixels(image, recipe("slic_skimage")), expected)


def test_a_channel_alone_is_the_grey_image_it_holds():
    image, _ = disc(64, 64)
    stack = np.stack([image[::-1], image, image.T, 0 * image], -1)
    alone = superpixels(image, recipe("slic_opencv", segments=30))
    assert np.array_equal(superpixels(stack, recipe("slic_opencv", segments=30, channel=1)), alone)
    equal = np.stack([image] * 3, -1)
    grey = superpixels(equal, recipe("slic_opencv", segments=30, channel="grey"))
    assert (grey == alone).mean() > 0.98


def test_colour_is_used_where_lightness_shows_nothing():
    _, labels = disc(64, 64)
    red, green = (0.8, 0.2, 0.2), (0.2, 0.5207, 0.2)
    image = np.where(labels[..., None] == 1, red, green)
    assert map_quality(superpixels(image, recipe("slic_opencv", segments=30)), labels).boundary_recall == 1.0


@pytest.mark.parametrize("algorithm", ["slic_skimage", "slic_opencv", "seeds"])
def test_a_blank_image_is_divided_evenly(algorithm):
    sizes = np.bincount(superpixels(np.full((60, 60), 7.0), recipe(algorithm, segments=36)).ravel())[1:]
    assert sizes.min() > 0.3 * 100
    assert sizes.max() < 3 * 100


@pytest.mark.parametrize("algorithm", ["lsc", "felzenszwalb"])
def test_one_segment_is_an_input_error(algorithm):
    with pytest.raises(InputError, match=f"segments of {algorithm}: found 1, expected at least 2"):
        superpixels(np.full((60, 60), 7.0), recipe(algorithm))


@pytest.mark.parametrize(
    ("image", "settings", "words"),
    [
        (np.zeros((4, 64, 64, 3)), {}, "image: found (4, 64, 64, 3), expected (height, width)"),
        (np.zeros((64, 64, 4)), {}, "channels of the image: found 4"),
        (np.zeros((64, 64, 4)), {"channel": 4}, "recipe.channel: found 4, expected below 4"),
        (np.full((64, 64), np.nan), {}, "values that are not finite"),
        (np.zeros((16, 16)), {}, "found (16, 16), expected room for 100 superpixels"),
        (np.zeros((6, 900)), {}, "found (6, 900)"),
    ],
)
def test_an_image_that_does_not_fit_is_an_input_error(image, settings, words):
    with pytest.raises(InputError) as error:
        superpixels(image, recipe("seeds", **settings))
    assert words in str(error.value)


@pytest.mark.parametrize(("height", "width"), [(30, 30), (15, 60), (60, 15), (46, 25), (7, 140), (140, 7)])
def test_the_smallest_images_that_are_let_through_are_safe(height, width):
    # OpenCV's SEEDS ends the process on images smaller than these.
    image = np.random.default_rng(0).random((height, width))
    for levels in (2, 5, 10):
        assert superpixels(image, recipe("seeds", levels=levels)).max() > 9


def test_opencv_holds_its_extra_modules():
    assert {"createSuperpixelSLIC", "createSuperpixelLSC", "createSuperpixelSEEDS"} <= set(dir(cv2.ximgproc))


def test_opencv_without_them_is_an_input_error_with_an_instruction(monkeypatch):
    monkeypatch.delattr(cv2, "ximgproc")
    with pytest.raises(InputError, match="pip install --force-reinstall --no-deps opencv-contrib-python"):
        superpixels(disc(64, 64)[0], recipe("slic_opencv"))


def test_recipes_have_names_that_tell_them_apart():
    recipes = [recipe("slic_opencv"), recipe("slic_opencv", segments=50), recipe("slic_opencv", channel=0)]
    recipes += [recipe(algorithm) for algorithm in ALGORITHMS[1:]]
    names = {one.id for one in recipes}
    assert len(names) == len(recipes)
    assert recipe("slic_opencv", compactness=10).id == recipe("slic_opencv", compactness=10.0).id
    # The name is part of paths: a change makes every map of the recipe anew.
    assert recipe("slic_skimage").id == "slic_skimage_5730e257"


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"algorithm": "slick"}, "slick"),
        ({"algorithm": "lsc", "compactness": 3}, "recipe.lsc.compactness"),
        ({"algorithm": "seeds", "segments": 1}, "recipe.seeds.segments: found 1"),
        ({}, "recipe"),
    ],
)
def test_a_bad_recipe_is_an_input_error(value, words):
    with pytest.raises(InputError) as error:
        read_recipe(value, "suite.yaml")
    assert words in str(error.value)
