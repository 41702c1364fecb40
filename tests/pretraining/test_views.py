import numpy as np
import pytest

from mmseg_ext.pretraining.intensity_views import IntensityChange, stretched
from mmseg_ext.pretraining.spatial_views import SpatialChange
from mmseg_ext.pretraining.views import DistortedViews, NeighbourViews, SpatialViews, SuperpixelViews
from mmseg_ext.suite.errors import InputError


@pytest.fixture
def image():
    rows, columns = np.mgrid[:64, :64] / 64
    return (0.5 * (rows > 0.3) + 0.5 * (columns > 0.5) * rows).astype(np.float32)[..., None]


def draw(views, image, maps=None, seed=3):
    return views(np.random.default_rng(seed), image, maps or {}, lambda rng: image[::-1] * 0.5)


@pytest.mark.parametrize(
    ("views", "count"),
    [
        (SpatialViews(), 2),
        (NeighbourViews(), 3),
        (DistortedViews(), 4),
        (SuperpixelViews(recipe={"algorithm": "slic_opencv", "segments": 16}), 4),
    ],
)
@pytest.mark.parametrize("channels", [1, 3])
def test_views_are_drawn_from_the_generator_alone(views, count, channels, image):
    image = np.repeat(image, channels, axis=2)
    found, again = draw(views, image), draw(views, image)
    assert found["views"].shape == (count, 64, 64, channels)
    assert found["views"].dtype == np.float32
    assert 0 <= found["views"].min() <= found["views"].max() <= 1
    assert all((found[name] == again[name]).all() for name in found)
    assert (found["views"] != draw(views, image, seed=4)["views"]).any()
    assert (found["views"][0] != found["views"][1]).any()


def test_intensity_views_keep_every_pixel_in_its_place(image):
    found = draw(SuperpixelViews(recipe={"algorithm": "slic_opencv", "segments": 16}), image)
    for view in found["views"][:2]:
        assert np.corrcoef(view.ravel(), image.ravel())[0, 1] > 0.95
    assert found["superpixels"].shape == (2, 64, 64)
    assert found["superpixels"].min() >= 1


def test_a_map_made_beforehand_serves_both_views(image):
    ids = np.arange(64 * 64).reshape(64, 64).astype(np.uint16)
    found = draw(SuperpixelViews(), image, {"superpixels": ids})
    assert (found["superpixels"] == ids).all()


def test_several_mri_channels_are_divided_by_their_second(image):
    recipe = {"algorithm": "slic_opencv", "segments": 16}
    four = np.concatenate([image * 0, image, image * 0, image * 0], axis=2)
    assert draw(SuperpixelViews(recipe=recipe), four)["superpixels"].max() > 1


def test_a_recipe_that_leaves_one_segment_is_an_input_error(image):
    views = SuperpixelViews(recipe={"algorithm": "felzenszwalb", "scale": 1e9, "min_size": 4096})
    with pytest.raises(InputError, match="segments"):
        draw(views, image)


def test_without_changes_an_image_stays_as_it_is(image):
    same = SpatialChange(
        mirror=0, probability=1, elastic_amount=(0, 0), rotation=(0, 0), scaling=(1, 1), elastic_smoothing=(15, 15)
    )
    np.testing.assert_allclose(same(np.random.default_rng(0), [image])[0], image, atol=1e-6)
    turned = SpatialChange(
        mirror=0, probability=1, elastic_amount=(0, 0), rotation=(90, 90), scaling=(1, 1), elastic_smoothing=(15, 15)
    )
    found = turned(np.random.default_rng(0), [image])[0]
    assert min(np.abs(found - np.rot90(image, turns)).max() for turns in (1, 3)) < 1e-3


def test_images_of_one_call_are_moved_alike(image):
    first, second = SpatialChange(probability=1)(np.random.default_rng(0), [image * 0.6, image * 0.3])
    np.testing.assert_allclose(first * 0.5, second, atol=1e-6)


def test_elastic_displacement_scales_with_the_input():
    """Twice the input, twice the shift in pixels: the same share of the image."""
    shifts = []
    for size in (128, 256):
        change = SpatialChange(mirror=0, probability=1, rotation=(0, 0), scaling=(1, 1))
        spread = []
        for seed in range(5):
            rows, _ = change._places(np.random.default_rng(seed), size, size)
            spread.append((rows - np.arange(size)[:, None]).std())
        shifts.append(np.mean(spread))
    assert shifts[1] / shifts[0] == pytest.approx(2, rel=0.25)


def test_blur_is_what_differs_between_intensity_views(image):
    assert (stretched(np.full((4, 4, 1), 7.0)) == 0).all()
    dark = IntensityChange(brightness=(0, 0))(np.random.default_rng(0), image)
    assert (dark == 0).all()
    plain = IntensityChange(brightness=(1, 1), contrast=(1, 1), blur=(0.01, 0.01))(np.random.default_rng(0), image)
    np.testing.assert_allclose(plain, stretched(image), atol=1 / 200)
