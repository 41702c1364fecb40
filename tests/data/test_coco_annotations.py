"""COCO's JSON files: polygons and run lengths of the objects of many images."""

import json

import numpy as np
import pytest
from PIL import Image
from support.tiny_data import pair_card

from mmseg_ext.data.convert import run_length_masks
from mmseg_ext.data.convert.polygons import from_polygons
from mmseg_ext.data.fetch import fetch
from mmseg_ext.data.prepare import prepare
from mmseg_ext.suite.errors import InputError

HEIGHT, WIDTH = 9, 12
SQUARE = [2, 1, 6, 1, 6, 5, 2, 5]
IMAGES = [{"id": 1, "file_name": "images/a.png", "height": HEIGHT, "width": WIDTH}, {"id": 2, "file_name": "b.png"}]
CATEGORIES = [{"name": name, "values": [value]} for value, name in enumerate(["background", "cell", "nucleus"])]


def inside_by_crossings(outline, shape):
    """Whether the centre of each pixel lies inside, one ray and one edge at a time."""
    points = np.reshape(outline, (-1, 2))
    found = np.zeros(shape, bool)
    for row, column in np.ndindex(shape):
        x, y = column + 0.5, row + 0.5
        for (x1, y1), (x2, y2) in zip(points, np.roll(points, -1, 0), strict=True):
            if (y1 > y) != (y2 > y) and x < x1 + (y - y1) / (y2 - y1) * (x2 - x1):
                found[row, column] = not found[row, column]
    return found


def from_corners(rows, columns):
    mask = np.zeros((HEIGHT, WIDTH), bool)
    mask[rows, columns] = True
    return mask


def test_a_square_from_corner_to_corner_of_pixels_holds_these_pixels():
    assert np.array_equal(from_polygons([SQUARE], (HEIGHT, WIDTH)), from_corners(slice(1, 5), slice(2, 6)))
    everything = [0, 0, WIDTH, 0, WIDTH, HEIGHT, 0, HEIGHT]
    assert from_polygons([everything], (HEIGHT, WIDTH)).all()


def test_centres_on_the_outline_belong_to_the_polygon():
    through_centres = [2.5, 1.5, 6.5, 1.5, 6.5, 5.5, 2.5, 5.5]
    assert np.array_equal(from_polygons([through_centres], (HEIGHT, WIDTH)), from_corners(slice(1, 6), slice(2, 7)))


@pytest.mark.parametrize("seed", range(20))
def test_any_outline_holds_the_centres_inside(seed):
    """Random ones cross themselves: the even-odd rule decides."""
    outline = np.random.default_rng(seed).uniform(-4, 16, 14).tolist()
    assert np.array_equal(from_polygons([outline], (HEIGHT, WIDTH)), inside_by_crossings(outline, (HEIGHT, WIDTH)))


def test_what_lies_outside_the_image_is_cut_off():
    over_the_edge = [10, -3, 20, -3, 20, 2, 10, 2]
    assert np.array_equal(from_polygons([over_the_edge], (HEIGHT, WIDTH)), from_corners(slice(0, 2), slice(10, 12)))


def test_a_polygon_between_the_centres_has_no_pixel():
    assert not from_polygons([[3.6, 3.6, 3.9, 3.6, 3.9, 3.9]], (HEIGHT, WIDTH)).any()


@pytest.mark.parametrize(
    ("polygons", "words"),
    [
        ([], "no polygon"),
        (None, "no polygon"),
        ([[1, 1, 4, 1, 4, 4, 1]], "7 numbers, not pairs"),
        ([[1, 1, 4, 1]], "2 points, not at least 3"),
        ([SQUARE, []], "0 points"),
        ([SQUARE, 5], "no list of numbers"),
        ([[1, 1, 4, 1, "4", 4]], "no list of numbers"),
        ([[1, 1, 4, 1, float("nan"), 4]], "not finite"),
        ([SQUARE, [12, 1, 15, 1, 15, 4]], "outside the 12 x 9 pixels.*x from 12 to 15, y from 1 to 4"),
        ([[1, -9, 4, -9, 4, 0]], "outside"),
        ([[1, 9, 4, 9, 4, 11]], "outside"),
        ([[-5, 1, 0, 1, -2, 4]], "outside"),
    ],
)
def test_polygons_that_are_none_are_refused(polygons, words):
    with pytest.raises(ValueError, match=words):
        from_polygons(polygons, (HEIGHT, WIDTH))


def annotation(**changes):
    return {"id": 3, "image_id": 1, "category_id": 1, "segmentation": [SQUARE], **changes}


def write_coco(root, annotations, images=IMAGES):
    for image in images:
        path = root / "images" / image["file_name"].rsplit("/")[-1]
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = np.random.default_rng(1).integers(0, 255, (HEIGHT, WIDTH, 3)).astype(np.uint8)
        Image.fromarray(pixels).save(path)
    root.joinpath("coco.json").write_text(json.dumps({"images": images, "annotations": annotations}))
    layout = {"layout": "run_length_masks", "image_files": ["images/{case}.png"], "table": "coco.json"}
    return pair_card(layout=layout, classes=CATEGORIES)


def labels_of(card, root):
    pairs = run_length_masks.find_pairs(card, root).pairs
    return [run_length_masks.convert(pair, card).labels[0] for pair in pairs]


def runs(mask):
    """Return the run lengths of a mask that has one run a column at most, and not in the first row."""
    flat = np.flatnonzero(np.diff(mask.T.ravel().astype(int), prepend=0, append=0))
    return {"size": list(mask.shape), "counts": np.diff(flat, prepend=0, append=mask.size).tolist()}


def test_polygons_of_an_object_are_united_and_crowds_have_run_lengths(tmp_path):
    crowd = from_corners(slice(3, 8), slice(4, 11))
    annotations = [
        annotation(segmentation=[SQUARE, [8, 6, 11, 6, 11, 8, 8, 8]]),
        annotation(id=4, category_id=2, iscrowd=1, segmentation=runs(crowd)),
        annotation(id=5, segmentation=[[0, 0, 2, 0, 2, 2, 0, 2]], iscrowd=0),
    ]
    expected = np.zeros((HEIGHT, WIDTH), np.uint8)
    expected[1:5, 2:6] = expected[6:8, 8:11] = expected[:2, :2] = 1
    expected[crowd] = 2
    one, other = labels_of(write_coco(tmp_path, annotations), tmp_path)
    assert np.array_equal(one, expected)
    assert not other.any()


def test_polygons_go_the_whole_way(tmp_path):
    images = [{"id": index, "file_name": f"{name}.png"} for index, name in enumerate("abcd")]
    annotations = [annotation(id=index, image_id=index, category_id=1 + index % 2) for index in range(4)]
    card = write_coco(tmp_path / "in/tiny_pairs", annotations, images)
    fetch(card, tmp_path / "raw", None, tmp_path / "in")
    prepared = prepare(card, tmp_path / "raw", tmp_path / "prepared", None)
    for index, name in enumerate("abcd"):
        assert np.array_equal(prepared.label(name), from_corners(slice(1, 5), slice(2, 6)) * (1 + index % 2))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"segmentation": [[1, 1, 4, 1, 4]]}, "segmentation of annotation 3: found 'a polygon of 5 numbers"),
        ({"segmentation": [[1, 1, 4, 1]]}, "a mask that fits .*a.png"),
        ({"segmentation": [[90, 90, 95, 90, 95, 95]]}, "outside the 12 x 9 pixels"),
        ({"segmentation": {"size": [12, 9], "counts": [108]}}, r"size \[12, 9\], not \[9, 12\]"),
        ({"segmentation": {"size": [9, 12]}}, "no counts"),
        ({"image_id": 9}, "image_id of annotation 3: found 9, expected the id of one of its images"),
        ({"category_id": 7}, r"category_id of annotation 3: found 7, expected a value that a class declares.*0, 1, 2"),
        ({"category_id": 0}, "category_id of annotation 3: found 0, expected a number from 1"),
        ({"category_id": "cell"}, "category_id of annotation 3: found 'cell', expected a whole number"),
    ],
)
def test_annotations_that_do_not_fit_are_refused(tmp_path, changes, words):
    card = write_coco(tmp_path, [annotation(**changes)])
    with pytest.raises(InputError, match=words):
        labels_of(card, tmp_path)


@pytest.mark.parametrize(
    ("image", "words"),
    [
        ({"id": 1, "file_name": "c.png"}, "id of image c.png: found 1, expected every id once"),
        ({"id": 3, "file_name": "val/a.png"}, "found 'val/a.png'.*there is 'images/a.png' too"),
    ],
)
def test_images_that_cannot_be_told_apart_are_refused(tmp_path, image, words):
    card = write_coco(tmp_path, [], [*IMAGES, image])
    with pytest.raises(InputError, match=words):
        labels_of(card, tmp_path)


def test_annotations_of_an_image_of_another_size_are_refused(tmp_path):
    card = write_coco(tmp_path, [annotation()], [{**IMAGES[0], "height": 18, "width": 24}])
    with pytest.raises(InputError, match=r"height and width \[18, 24\], not \[9, 12\]"):
        labels_of(card, tmp_path)


@pytest.mark.parametrize("text", ["{}", "[]", '{"images": [], "annotations": [{"id": 1}]}'])
def test_other_json_is_refused(tmp_path, text):
    card = write_coco(tmp_path, [])
    (tmp_path / "coco.json").write_text(text)
    with pytest.raises(InputError, match="images and annotations as COCO has them"):
        labels_of(card, tmp_path)


def test_values_that_no_class_declares_can_be_background(tmp_path):
    card = write_coco(tmp_path, [annotation(category_id=7)]).model_copy(update={"other_values": "background"})
    assert not np.any(labels_of(card, tmp_path))
