import cv2
import numpy as np
import pandas as pd
import pytest

from mmseg_ext.data.checks.near_duplicates import (
    COLUMNS,
    MAX_DISTANCE,
    low_frequencies,
    near_duplicates,
    perceptual_hashes,
    thumbnail,
)


def picture(seed, size=64):
    noise = np.random.default_rng(seed).random((size, size)).astype(np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), 5)
    return (smooth - smooth.min()) / (smooth.max() - smooth.min())


def recoded(image):
    coded = cv2.imencode(".jpg", np.rint(255 * image).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, 50])[1]
    return cv2.imdecode(coded, cv2.IMREAD_UNCHANGED) / 255


def rescaled(image):
    return cv2.resize(image, (96, 96), interpolation=cv2.INTER_LINEAR)


def found(images, cases, subsets):
    samples = pd.DataFrame(
        {"sample": [f"s{i}" for i in range(len(images))], "case": cases, "patient": cases, "subset": subsets}
    )
    return near_duplicates(samples, np.stack([thumbnail(image) for image in images]))


@pytest.mark.parametrize("change", [recoded, rescaled, lambda image: image**0.8], ids=["jpeg", "rescaled", "brighter"])
def test_a_changed_copy_in_another_subset_is_found(change):
    images = [picture(seed) for seed in range(6)]
    pairs = found([*images, change(images[2])], list("abcdefg"), ["train"] * 5 + ["test"] * 2)
    assert list(pairs.columns) == COLUMNS
    assert pairs[["case_a", "case_b"]].to_numpy().tolist() == [["c", "g"]]
    assert pairs.loc[0, "distance"] <= MAX_DISTANCE


@pytest.mark.parametrize(("change", "mirror"), [(0, False), (1, False), (2, False), (3, False), (0, True), (1, True)])
def test_a_copy_that_lies_another_way_is_found_and_the_way_is_named(change, mirror):
    images = [picture(seed) for seed in range(4)]
    copy = np.rot90(np.fliplr(images[1]) if mirror else images[1], change).copy()
    pairs = found([*images, recoded(copy)], list("abcde"), ["train"] * 4 + ["test"])
    assert pairs[["case_a", "case_b"]].to_numpy().tolist() == [["b", "e"]]
    names = {False: ["none", "turned_90", "turned_180", "turned_270"], True: ["mirrored", "transposed"]}
    assert pairs["change"].tolist() == [names[mirror][change]]


def test_a_symmetric_picture_is_one_pair():
    image = picture(0)
    symmetric = (image + np.fliplr(image)) / 2
    assert found([symmetric, symmetric], ["a", "b"], ["train", "test"])["pairs"].tolist() == [1]


def test_copies_inside_a_subset_and_neighbouring_slices_are_no_leak():
    images = [picture(0), picture(0) * 0.99, picture(1), picture(1)]
    assert found(images, ["a", "a", "b", "c"], ["train", "train", "test", "test"]).empty


def test_empty_slices_are_never_alike():
    assert found([np.zeros((9, 9)), np.zeros((9, 9))], ["a", "b"], ["train", "test"]).empty


def test_a_pair_of_cases_is_reported_once_with_its_count():
    images = [picture(0), picture(1), picture(0), picture(1)]
    pairs = found(images, ["a", "a", "b", "b"], ["train", "train", "val", "val"])
    assert pairs["pairs"].tolist() == [2]


def test_all_three_pairs_of_subsets_are_compared():
    pairs = found([picture(0)] * 3, list("abc"), ["train", "val", "test"])
    assert len(pairs) == 3


def test_hash_tells_pictures_apart():
    hashes = perceptual_hashes(low_frequencies(np.array([thumbnail(picture(seed)) for seed in range(8)])))
    distances = [np.bitwise_count(hashes[i] ^ hashes[j]) for i in range(8) for j in range(i)]
    assert min(distances) > MAX_DISTANCE


def test_colour_is_compared_as_grey():
    colour = np.stack([picture(0)] * 3, axis=-1)
    np.testing.assert_array_equal(thumbnail(colour), thumbnail(picture(0)))
